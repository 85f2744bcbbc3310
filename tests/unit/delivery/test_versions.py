from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ecluse.delivery.execute import Execution
from ecluse.delivery.plan import make_plan
from ecluse.delivery.versions import is_changed, refusals
from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import Desired
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.observed import BackingState
from ecluse.model.plan import Intent, Plan
from ecluse.store.backups import FileBackups
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords, SystemClock
from tests.unit.delivery.samples import TARGET, application, database

TEST, API = EnvironmentName("test"), ServiceName("api")
OLD, NEW = replace(database("api"), version="10.5"), database("api")


class Dies(BaseException):
    """The process is gone."""


class Steps:
    def __init__(self, dies_at: int | None = None) -> None:
        self.known: dict[str, str] = {}
        self.dies_at = dies_at

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        if name not in self.known:
            done = await act()
            if self.dies_at == len(self.known):
                self.dies_at = None
                raise Dies
            self.known[name] = done
        return self.known[name]


class Scene:
    def __init__(self, folder: Path) -> None:
        self.engine = MemoryEngine()
        self.records = SqlRecords(open_memory())
        self.backups = FileBackups(folder / "backups")

    async def plan(self, version: str) -> tuple[int, Plan]:
        api, known = application("api", backing=("db",)), self.records.known_good(TEST)
        service = replace(NEW, version=version)
        plan = make_plan(
            Desired(TARGET, {API: api}, {"db": service}, "abc"), await self.engine.observe(TARGET), known, []
        )
        intent = Intent(TARGET, plan, {API: api}, known.applications, {}, {"db": service}, known.backing)
        return self.records.enqueue(intent, by="me"), plan

    async def execute(self, number: int, steps: Steps | None = None) -> str:
        execution = Execution(
            self.records.deployment(number),
            engine=self.engine,
            journal=steps or Steps(),
            records=self.records,
            clock=SystemClock(),
            backups=self.backups,
        )
        return await execution.execute()

    @property
    def version(self) -> str:
        return self.engine.world(TARGET).backing["db"].version


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    number, _ = await scene.plan("10.5")
    assert await scene.execute(number) == "succeeded"
    scene.engine.world(TARGET).data["db"] = {"api": b"rows"}
    scene.engine.asked.clear()
    return scene


async def test_the_plan_of_another_version_shows_a_backup_a_trial_and_an_interruption(scene: Scene) -> None:
    _, plan = await scene.plan("10.11")
    assert [change.id for change in plan.changes] == ["dump db", "rehearse db", "upgrade db"]
    assert [change.note for change in plan.changes] == [
        "a backup first",
        "a trial of mariadb 10.11 with that backup",
        "its clients cannot reach it while the data is copied; the old volume is left as it is",
    ]
    (difference,) = plan.changes[-1].differences
    assert (difference.before, difference.after) == ("mariadb 10.5", "mariadb 10.11")
    assert plan.commands == ("backup/db",)
    assert "db" in plan.claims


async def test_a_change_of_version_leaves_two_copies_of_the_data(scene: Scene) -> None:
    number, _ = await scene.plan("10.11")
    assert await scene.execute(number) == "succeeded"
    acts = [words.partition(" 2")[0] for words in scene.engine.asked if " db" in words]
    assert acts == ["dump db", "rehearse db", "upgrade db 10.11", "provide db"]
    last, first = scene.backups.list(TEST, "db")
    assert [item.manifest.version for item in (first, last)] == ["10.5", "10.5"]
    assert first.tried is not None
    assert (first.tried.succeeded, first.manifest.safety) == (True, True)
    assert b"".join(scene.backups.copy(last.id).read("api")) == b"rows"
    assert scene.records.known_good(TEST).backing["db"].version == "10.11"
    _, plan = await scene.plan("10.11")
    assert plan.is_empty


@pytest.mark.parametrize("step", range(5))
async def test_a_change_of_version_that_is_killed_at_any_step_comes_to_its_end(
    scene: Scene, step: int
) -> None:
    number, _ = await scene.plan("10.11")
    steps = Steps(dies_at=step)
    try:
        state = await scene.execute(number, steps)
    except Dies:
        state = await scene.execute(number, steps)
    assert (state, scene.version) == ("succeeded", "10.11")
    assert scene.engine.world(TARGET).data["db"] == {"api": b"rows"}


@pytest.mark.parametrize("act", ["dump db", "rehearse db", "upgrade db"])
async def test_what_fails_leaves_the_old_version(scene: Scene, act: str) -> None:
    scene.engine.fail(act)
    number, _ = await scene.plan("10.11")
    assert await scene.execute(number) == "restored"
    assert scene.version == "10.5"
    assert scene.engine.asked[-2:] == ["provide db", "prepare"]
    assert scene.records.known_good(TEST).backing["db"].version == "10.5"


def test_data_does_not_go_back_and_does_not_become_something_else() -> None:
    running = {"db": BackingState("1", "db", "mariadb", "10.11", "", "ready", ())}
    (back,) = refusals(running, {}, {"db": OLD})
    assert back.startswith("db: mariadb 10.11 cannot go back to 10.5: an older server does not read the data")
    (other,) = refusals({}, {"db": NEW}, {"db": replace(NEW, kind="postgresql", version="15")})
    assert other.startswith("db: mariadb cannot become postgresql")
    assert list(refusals(running, {}, {"db": replace(NEW, version="10")})) == []
    assert list(refusals({}, {"db": OLD}, {"db": NEW})) == []


def test_a_version_that_is_said_more_exactly_is_the_same() -> None:
    assert not is_changed("10", "10.11")
    assert not is_changed("15", "15")
    assert is_changed("10.1", "10.11")
