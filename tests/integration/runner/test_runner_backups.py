"""Backups that the runner makes by itself, on a real record, durable steps and files, with a clock that the test
moves and an engine in memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from test_runner_crons import TEST, MemoryState, MovedClock, opened, until

from ecluse.cli.backups_view import is_unsafe, protection
from ecluse.model.application import BackingService
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change, Intent, Plan, Step
from ecluse.model.product import BackupRule, Keep
from ecluse.server.runner import Runner
from ecluse.wiring.protection import read_protection
from ecluse.wiring.state import ProductState
from tests.unit.delivery.samples import TARGET, application, database

HOURLY = BackupRule("0 * * * *", keep=Keep(last=2, daily=0, weekly=0, monthly=0))
HOUR = timedelta(hours=1)


def deploy(state: ProductState, rule: BackupRule = HOURLY) -> int:
    service: BackingService = replace(database("api"), backup=rule)
    api = application("api", backing=("db",))
    plan = Plan(
        "test", "deploy", "abc", (Step(api.service, None, "1"),), (Change("provide", "db", part="db"),)
    )
    intent = Intent(TARGET, plan, {ServiceName("api"): api}, {}, backing={"db": service})
    return state.records.enqueue(intent, by="anna")


def backups(state: ProductState) -> list[str]:
    return [item.manifest.id for item in state.backups.list(TEST, "db")]


@asynccontextmanager
async def working(state: ProductState) -> AsyncIterator[None]:
    """A runner, which leaves the durable steps of this process to the next one."""
    runner = Runner(state)
    work = asyncio.create_task(runner.serve())
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        runner._durable.destroy()


@asynccontextmanager
async def serving(folder: Path, rule: BackupRule = HOURLY) -> AsyncIterator[MemoryState]:
    """A runner at work, with a database on a schedule that has been looked at."""
    state = opened(folder, MovedClock())
    async with working(state):
        first = deploy(state, rule)
        await until(lambda: state.records.deployment(first).has_ended, "the deployment")
        assert state.records.deployment(first).state == "succeeded"
        state.clock.time += timedelta(seconds=6)  # type: ignore[attr-defined]
        await until(lambda: bool(state.schedule.marks()), "the first look")
        yield state


async def pass_an_hour(state: ProductState, attempts: int) -> None:
    """Until `attempts` backups in all have ended."""

    def ended() -> bool:
        made = [item for item in state.records.deployments(TEST) if item.kind == "backup"]
        return len(made) == attempts and all(item.has_ended for item in made)

    now = state.clock.now()
    state.clock.time = now.replace(minute=0, second=10) + HOUR  # type: ignore[attr-defined]
    await until(ended, f"attempt {attempts}")


async def test_backups_are_made_tried_and_thinned_out_by_themselves(tmp_path: Path) -> None:
    async with serving(tmp_path) as state:
        (before,) = read_protection(state, TEST)
        assert protection(before).startswith("no backup yet, restore test never, next 2026-03-02 ")
        assert backups(state) == []
        for attempt in (1, 2, 3):
            await pass_an_hour(state, attempt)
        # the first is beyond the two that the rule keeps, and the only one that was tried in this week
        assert [item[:11] for item in backups(state)] == ["20260302T14", "20260302T13", "20260302T12"]
        tried = [item.tried is not None for item in state.backups.list(TEST, "db")]
        assert tried == [False, False, True]
        assert state.gated.asked.count("dump db") == 3
        await pass_an_hour(state, 4)
        assert [item[:11] for item in backups(state)] == ["20260302T15", "20260302T14", "20260302T12"]
        newest = state.records.deployments(TEST, limit=1)[0]
        assert (newest.requested_by, newest.intent.plan.commands) == ("schedule", ("backup/db",))
        (after,) = read_protection(state, TEST)
        assert after.newest is not None
        assert after.tried is not None
        assert after.tried.tried is not None
        assert (after.newest.manifest.id[:11], after.tried.tried.succeeded) == ("20260302T15", True)
        assert not is_unsafe(after)


async def test_a_backup_that_does_not_open_is_shown_and_removes_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path, replace(HOURLY, test="each")) as state:
        for attempt in (1, 2):
            await pass_an_hour(state, attempt)
        state.gated.fail("rehearse db")
        for attempt in (3, 4):
            await pass_an_hour(state, attempt)
        assert len(backups(state)) == 4
        (found,) = read_protection(state, TEST)
        assert is_unsafe(found)
        assert "restore test FAILED" in protection(found)
        state.gated.mend("rehearse db")
        await pass_an_hour(state, 5)
        assert len(backups(state)) == 2
        (found,) = read_protection(state, TEST)
        assert not is_unsafe(found)


async def test_an_attempt_that_failed_is_shown_until_one_succeeds(tmp_path: Path) -> None:
    async with serving(tmp_path) as state:
        await pass_an_hour(state, 1)
        state.gated.fail("dump db")
        await pass_an_hour(state, 2)
        (found,) = read_protection(state, TEST)
        assert found.failure == "dump db was told to fail"
        assert len(backups(state)) == 1
        state.gated.mend("dump db")
        await pass_an_hour(state, 3)
        (found,) = read_protection(state, TEST)
        assert found.failure is None


async def test_a_night_that_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    daily = replace(HOURLY, schedule="0 2 * * *")
    async with serving(tmp_path, daily) as state:
        pass
    state.clock.time += timedelta(days=2, hours=-7)  # type: ignore[attr-defined]
    back = opened(tmp_path, state.clock)  # type: ignore[arg-type]
    async for _ in back.gated.provide(TARGET, database("api")):
        pass
    async with working(back):
        await until(lambda: len(backups(back)) == 1, "the backup that makes up for the missed ones")
        made = back.records.deployments(TEST, limit=1)[0]
        await until(lambda: back.records.deployment(made.number).has_ended, "its end")
        assert made.intent.note == "makes up for 2026-03-04 02:00 UTC"
    (omission,) = back.schedule.omissions(TEST, command="backup/db", limit=9)
    assert (omission.kind, omission.due.day) == ("missed", 3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mount: a small file system needs the rights of root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_leaves_the_old_backups_and_no_half_one(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "state" / "shop").mkdir(parents=True)
    os.symlink(small_disk, tmp_path / "state" / "shop" / "backups")
    async with serving(tmp_path / "state") as state:
        await pass_an_hour(state, 1)
        old = backups(state)
        state.gated.world(TARGET).data["db"] = {"api": bytes(5 << 20)}
        await pass_an_hour(state, 2)
        assert backups(state) == old
        (found,) = read_protection(state, TEST)
        assert found.failure is not None
        assert "No space left on device" in found.failure
        state.backups.copy(state.backups.list(TEST)[0].id).verify()
        assert [path.name for path in (small_disk / "test" / "db").iterdir()] == old
        state.gated.world(TARGET).data["db"] = {"api": b"small again"}
        await pass_an_hour(state, 3)
        assert len(backups(state)) == 2
