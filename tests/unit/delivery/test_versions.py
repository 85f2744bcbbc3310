from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ecluse.delivery.cards import card
from ecluse.delivery.drift import drift
from ecluse.delivery.execute import Execution
from ecluse.delivery.plan import make_plan
from ecluse.delivery.versions import is_changed, refusals
from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import Application, Desired
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.observed import BackingState
from ecluse.model.plan import Intent, Plan
from ecluse.store.backups import FileBackups
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import TARGET, application, database

TEST, API = EnvironmentName("test"), ServiceName("api")
OLD, NEW = replace(database("api"), version="10.5"), database("api")
API_1, API_2 = (application("api", version, backing=("db",)) for version in ("1", "2"))


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

    async def intent(self, version: str, wanted: Application = API_1) -> Intent:
        known, service = self.records.known_good(TEST), replace(NEW, version=version)
        mine = {wanted.service: wanted}
        plan = make_plan(
            Desired(TARGET, mine, {"db": service}, "abc"), await self.engine.observe(TARGET), known, []
        )
        before = {name: item for name, item in known.applications.items() if name in mine}
        return Intent(TARGET, plan, mine, before, {}, {"db": service}, known.backing)

    async def plan(self, version: str, wanted: Application = API_1) -> tuple[int, Plan]:
        intent = await self.intent(version, wanted)
        return self.records.enqueue(intent, by="me"), intent.plan

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

    @property
    def known_version(self) -> str:
        return self.records.known_good(TEST).backing["db"].version

    def done(self, number: int) -> tuple[str, ...]:
        """What the cause card says was done."""
        made = card(
            self.records.deployment(number),
            before=self.records.known_good(TEST, at=number - 1),
            events=self.records.events(number),
        )
        assert made is not None
        return made.done


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
    # what was begun is undone, and nothing else is touched
    assert ("provide db" in scene.engine.asked) == (act == "upgrade db")
    assert scene.engine.asked[-1] == "prepare"
    assert scene.done(number) == ("db is as it was before",)
    assert scene.records.known_good(TEST).backing["db"].version == "10.5"


async def test_a_version_stays_and_is_known_good_though_a_later_change_fails(scene: Scene) -> None:
    scene.engine.fail("api/web", version="2")
    number, _ = await scene.plan("10.11", API_2)
    assert await scene.execute(number) == "restored"
    assert (scene.version, scene.known_version) == ("10.11", "10.11")
    known = scene.records.known_good(TEST)
    assert (known.applications, known.revision) == ({API: API_1}, "abc")
    assert scene.records.known_good(TEST, at=number - 1).backing["db"].version == "10.5"
    assert scene.done(number) == (
        "restored to api 1, as deployment 1 left it",
        "NOT undone: db is mariadb 10.11 now, with all its data: its clients may have written to it since",
    )
    assert (await scene.intent("10.11")).plan.is_empty
    running = {"db": scene.engine.world(TARGET).backing["db"]}
    assert list(refusals(running, known.backing, known.backing)) == []
    assert [item.message.partition(" cannot")[0] for item in told(scene, number, "backing.kept")] == [
        "mariadb 10.11, whatever becomes of this deployment"
    ]


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("journal_survives", [True, False])
@pytest.mark.parametrize("step", range(8))
async def test_record_and_world_agree_wherever_a_failing_change_of_version_is_killed(
    scene: Scene, step: int, journal_survives: bool, cancelled: bool
) -> None:
    scene.engine.fail("api/web", version="2")
    intent = replace(await scene.intent("10.11", API_2), is_reviewed=True)
    number = scene.records.enqueue(intent, by="me")
    steps = Steps(dies_at=step)
    try:
        await scene.execute(number, steps)
    except Dies:
        if cancelled:
            scene.records.request_cancel(number)
        await scene.execute(number, steps if journal_survives else Steps())
    assert scene.records.deployment(number).state in ("restored", "cancelled")
    assert scene.version == scene.known_version
    assert scene.version == "10.11" or cancelled
    assert [item.version for item in scene.engine.world(TARGET).replicas.values()] == ["1"]
    assert scene.engine.world(TARGET).data["db"] == {"api": b"rows"}
    assert (await scene.intent(scene.version)).plan.is_empty


async def test_a_change_of_version_that_was_killed_just_before_its_end_is_finished_by_its_restoration(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = await scene.plan("10.11")
    with monkeypatch.context() as patch:
        patch.setattr(scene.records, "keep", dies)
        with pytest.raises(Dies):
            await scene.execute(number)
    assert (scene.version, scene.known_version) == ("10.11", "10.5")
    scene.records.request_cancel(number)
    assert await scene.execute(number) == "cancelled"
    assert (scene.version, scene.known_version) == ("10.11", "10.11")


async def test_a_new_version_that_is_not_well_before_its_end_gives_way_to_the_old_one(scene: Scene) -> None:
    number, _ = await scene.plan("10.11")
    scene.engine.fail("db", version="10.11")
    world = scene.engine.world(TARGET)
    world.backing["db"] = replace(world.backing["db"], version="10.11", state="starting")
    assert await scene.execute(number) == "restored"
    assert (scene.version, scene.known_version) == ("10.5", "10.5")


async def test_a_database_that_a_failing_deployment_brought_stays_and_is_on_record(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.engine.fail("api/web")
    number, _ = await scene.plan("10.5")
    assert await scene.execute(number) == "restored"
    assert (scene.version, scene.known_version) == ("10.5", "10.5")
    assert scene.records.environments() == []
    assert scene.done(number)[-1] == (
        "NOT undone: db (mariadb 10.5) was not there before, and stays with its data"
    )
    scene.engine.mend("api/web")
    number, plan = await scene.plan("10.11")
    assert [change.id for change in plan.changes][:3] == ["dump db", "rehearse db", "upgrade db"]
    assert await scene.execute(number) == "succeeded"
    assert (scene.version, scene.known_version) == ("10.11", "10.11")


async def test_who_waited_for_a_change_of_version_does_not_take_it_back(scene: Scene) -> None:
    first, _ = await scene.plan("10.11")
    waited, _ = await scene.plan("10.5", API_2)
    assert await scene.execute(first) == "succeeded"
    assert await scene.execute(waited) == "succeeded"
    assert (scene.version, scene.known_version) == ("10.11", "10.11")
    assert scene.records.known_good(TEST).applications == {API: API_2}


async def test_who_waited_with_an_older_version_than_there_is_now_is_refused(scene: Scene) -> None:
    first, _ = await scene.plan("10.11")
    waited, _ = await scene.plan("10.6")
    assert await scene.execute(first) == "succeeded"
    scene.engine.asked.clear()
    assert await scene.execute(waited) == "restored"
    cause = scene.records.deployment(waited).cause
    assert cause is not None
    assert (cause.kind, cause.evidence[0].partition(":")[0]) == ("stale", "db")
    assert (scene.version, scene.engine.asked) == ("10.11", [])


async def test_who_waited_for_the_first_version_changes_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, _ = await scene.plan("10.5")
    waited, plan = await scene.plan("10.11")
    assert [change.id for change in plan.changes][:1] == ["provide db"]
    assert await scene.execute(first) == "succeeded"
    scene.engine.world(TARGET).data["db"] = {"api": b"rows"}
    assert await scene.execute(waited) == "succeeded"
    assert (scene.version, scene.known_version) == ("10.11", "10.11")
    assert {item.manifest.version for item in scene.backups.list(TEST, "db")} == {"10.5"}


async def test_a_saved_plan_of_a_change_of_version_holds(scene: Scene) -> None:
    saved, now = (await scene.intent("10.11")).plan, (await scene.intent("10.11")).plan
    assert drift(saved, now) == []
    number, _ = await scene.plan("10.11")
    await scene.execute(number)
    assert [sentence.partition(":")[0] for sentence in drift(saved, (await scene.intent("10.11")).plan)] == [
        "dump db",
        "rehearse db",
        "upgrade db",
    ]


def told(scene: Scene, number: int, kind: str) -> list[Event]:
    return [item.event for item in scene.records.events(number) if item.event.kind == kind]


def dies(*_: object) -> None:
    raise Dies


def test_data_does_not_go_back_and_does_not_become_something_else() -> None:
    running = {"db": BackingState("1", "db", "mariadb", "10.11", "", "ready", ())}
    (back,) = refusals(running, {}, {"db": OLD})
    assert back.startswith("db: mariadb 10.11 cannot go back to 10.5: an older server does not read the data")
    (other,) = refusals({}, {"db": NEW}, {"db": replace(NEW, kind="postgresql", version="15")})
    assert other.startswith("db: mariadb cannot become postgresql")
    assert list(refusals(running, {}, {"db": replace(NEW, version="10")})) == []
    assert list(refusals({}, {"db": OLD}, {"db": NEW})) == []
    (unknown,) = refusals({"db": replace(running["db"], version="10.5")}, {}, {"db": NEW})
    assert unknown == (
        "db: mariadb 10.5 runs, and is not on record: deploy with that version first, then change it"
    )


def test_a_version_that_is_said_more_exactly_is_the_same() -> None:
    assert not is_changed("10", "10.11")
    assert not is_changed("15", "15")
    assert is_changed("10.1", "10.11")
