from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ecluse.delivery.execute import Execution
from ecluse.delivery.queue import startable
from ecluse.engines.memory import MemoryEngine
from ecluse.errors import Refused
from ecluse.model.backup import BackupId
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import Change, DeploymentKind, Intent, Plan
from ecluse.ports import Journal
from ecluse.store.backups import FileBackups
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import TARGET, database
from tests.unit.delivery.test_execute import Dying, Killed

TEST = EnvironmentName("test")
FIRST, SAFETY = (BackupId(TEST, "db", at) for at in ("20260302T120000.000Z", "20260303T120000.000Z"))


class Steps:
    """A journal that forgets nothing, as long as it lives."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        if name not in self.known:
            self.known[name] = await act()
        return self.known[name]


class Scene:
    def __init__(self, folder: Path) -> None:
        self.engine = MemoryEngine()
        self.records = SqlRecords(open_memory())
        self.backups = FileBackups(folder / "backups")

    async def provide(self, data: bytes) -> None:
        async for _ in self.engine.provide(TARGET, database("api")):
            pass
        self.data = data

    @property
    def data(self) -> bytes:
        return self.engine.world(TARGET).data["db"]["api"]

    @data.setter
    def data(self, data: bytes) -> None:
        self.engine.world(TARGET).data["db"] = {"api": data}

    def enqueue(self, kind: DeploymentKind, *changes: Change) -> int:
        plan = Plan("test", kind, "", (), changes)
        return self.records.enqueue(Intent(TARGET, plan, {}, {}, backing={"db": database("api")}), by="me")

    async def execute(self, number: int, journal: Journal | None = None) -> str:
        execution = Execution(
            self.records.deployment(number),
            engine=self.engine,
            journal=journal or Steps(),
            records=self.records,
            clock=SystemClock(),
            backups=self.backups,
        )
        return await execution.execute()


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    await scene.provide(b"first")
    return scene


def change(action: str, backup: BackupId) -> Change:
    return Change(action, "db", part="db", key=str(backup))  # type: ignore[arg-type]


async def test_a_backup_says_what_it_holds_and_who_asked(scene: Scene) -> None:
    number = scene.enqueue("backup", change("dump", FIRST))
    assert await scene.execute(number) == "succeeded"
    (backup,) = scene.backups.list(TEST)
    manifest = backup.manifest
    assert (backup.databases, backup.size, manifest.by, manifest.deployment) == (("api",), 5, "me", number)
    assert b"".join(scene.backups.copy(backup.id).read("api")) == b"first"


async def test_a_backup_that_was_cut_short_after_it_was_kept_is_left_alone(scene: Scene) -> None:
    number = scene.enqueue("backup", change("dump", FIRST))
    await scene.execute(number)
    scene.data = b"later"
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    assert b"".join(scene.backups.copy(FIRST).read("api")) == b"first"


async def test_a_backup_that_fails_leaves_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.engine.fail("dump db")
    number = scene.enqueue("backup", change("dump", FIRST))
    assert await scene.execute(number) == "failed"
    assert scene.backups.list(TEST) == []
    assert [
        path for path in (tmp_path / "backups").rglob("*") if path.name != "db" and path.parent.name == "db"
    ] == []
    cause = scene.records.deployment(number).cause
    assert cause is not None
    assert cause.sentence == "dump db was told to fail"


async def test_what_is_restored_was_copied_before(scene: Scene) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    scene.data = b"later"
    assert (
        await scene.execute(scene.enqueue("restore", change("dump", SAFETY), change("load", FIRST)))
        == "succeeded"
    )
    assert scene.data == b"first"
    assert [(item.manifest.id, item.manifest.safety) for item in scene.backups.list(TEST)] == [
        (SAFETY.at, True),
        (FIRST.at, False),
    ]
    assert scene.records.known_good(TEST).applications == {}


async def test_a_restore_that_fails_brings_back_what_was_there(scene: Scene) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    scene.data = b"later"
    scene.engine.fail(f"load db {FIRST.at}")
    number = scene.enqueue("restore", change("dump", SAFETY), change("load", FIRST))
    assert await scene.execute(number) == "restored"
    assert scene.data == b"later"
    assert scene.engine.asked[-2:] == [f"load db {FIRST.at}", f"load db {SAFETY.at}"]


@pytest.mark.parametrize(("step", "left"), [(1, b"written meanwhile"), (2, b"later")])
async def test_a_restore_that_is_cancelled_after_its_steps_were_lost_undoes_only_what_it_did(
    scene: Scene, step: int, left: bytes
) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    scene.data = b"later"
    number = scene.enqueue("restore", change("dump", SAFETY), change("load", FIRST))
    with pytest.raises(Killed):
        await scene.execute(number, Dying({}, step, recorded=False))
    if step == 1:
        scene.data = b"written meanwhile"
    scene.records.request_cancel(number)
    assert await scene.execute(number) == "cancelled"
    assert scene.data == left


async def test_without_a_copy_of_what_is_there_nothing_is_replaced(scene: Scene) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    scene.engine.fail("dump db")
    assert (
        await scene.execute(scene.enqueue("restore", change("dump", SAFETY), change("load", FIRST)))
        == "restored"
    )
    assert not any(words.startswith("load") for words in scene.engine.asked)


async def test_a_restore_test_is_remembered_whether_it_passes_or_not(scene: Scene) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    await scene.execute(scene.enqueue("restore-test", change("rehearse", FIRST)))
    found = scene.backups.find(FIRST)
    assert found is not None
    assert found.tried is not None
    assert (found.tried.succeeded, found.tried.counts) == (True, {"api": 5})
    scene.engine.fail("rehearse db")
    assert await scene.execute(scene.enqueue("restore-test", change("rehearse", FIRST))) == "failed"
    found = scene.backups.find(FIRST)
    assert found is not None
    assert found.tried is not None
    assert (found.tried.succeeded, found.tried.detail) == (False, "rehearse db was told to fail")


async def test_a_damaged_backup_is_refused_and_nothing_is_loaded(scene: Scene, tmp_path: Path) -> None:
    await scene.execute(scene.enqueue("backup", change("dump", FIRST)))
    (path,) = (tmp_path / "backups").rglob("api.data")
    path.write_bytes(b"fir5t")
    with pytest.raises(Refused, match="is damaged"):
        scene.backups.copy(FIRST).verify()
    scene.data = b"later"
    await scene.execute(scene.enqueue("restore", change("dump", SAFETY), change("load", FIRST)))
    assert scene.data == b"later"
    assert f"load db {FIRST.at}" not in scene.engine.asked


def test_a_backup_goes_on_beside_a_deployment_and_never_twice_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    deploy = scene.enqueue("deploy")
    first = scene.enqueue("backup", change("dump", FIRST))
    scene.enqueue("backup", change("dump", SAFETY))
    scene.enqueue("restore", change("load", FIRST))
    assert startable(scene.records.unfinished()) == [deploy, first]
