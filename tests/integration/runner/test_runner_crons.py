"""The runner and its crons on a real record and durable steps, with a clock that the test moves and an engine
in memory whose commands end when they are let."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.engines.memory import MemoryEngine
from ecluse.errors import NotFound
from ecluse.model.application import Application, Target
from ecluse.model.cron import Omission
from ecluse.model.deployment import Pending
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.model.product import Environment
from ecluse.model.service import Cron
from ecluse.model.workload import Run
from ecluse.ports import Engine
from ecluse.secrets.memory import MemoryVault
from ecluse.server.crons import Crons
from ecluse.server.runner import Runner
from ecluse.settings import read_settings
from ecluse.store.database import open_database, sqlite_url
from ecluse.store.leases import SqlLeases
from ecluse.store.records import SqlRecords
from ecluse.store.schedule import SqlSchedule
from ecluse.wiring.crons import read_cron, read_crons
from ecluse.wiring.state import ProductState
from tests.unit.delivery.samples import TARGET, application

TEST = EnvironmentName("test")
START = datetime(2026, 3, 2, 11, 59, 50, tzinfo=UTC)
EVERY_MINUTE = Cron("mail", "* * * * *", ("mail",))


@dataclass
class MovedClock:
    """Implements ports.Clock."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time


class Gated(MemoryEngine):
    """Its runs end when the gate is open. `most`: how many ran at once, at most."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.inside = self.most = 0

    async def run(self, target: Target, run: Run) -> AsyncIterator[Event]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.gate.wait()
            async for event in super().run(target, run):
                yield event
        finally:
            self.inside -= 1


@dataclass(frozen=True)
class MemoryState(ProductState):
    gated: Gated = field(default_factory=Gated)

    def engine(self) -> Engine:
        return self.gated


def opened(folder: Path, clock: MovedClock, engine: Gated | None = None) -> MemoryState:
    database = open_database(folder)
    return MemoryState(
        product="shop",
        settings=read_settings({"ECLUSE_STATE": str(folder)}),
        records=SqlRecords(database, clock),
        schedule=SqlSchedule(database, clock),
        leases=SqlLeases(database, clock),
        vault=MemoryVault(),
        clock=clock,
        database_url=sqlite_url(folder),
        gated=engine or Gated(),
    )


def deploy(state: ProductState, *crons: Cron, ended: bool) -> int:
    """The service `api` with these crons, known good when it has `ended`."""
    api: Application = application("api", crons=crons)
    plan = Plan("test", "deploy", "abc", (Step(ServiceName("api"), None, "1"),), ())
    number = state.records.enqueue(Intent(TARGET, plan, {api.service: api}, {}), by="anna")
    if ended:
        state.records.begin(number)
        state.records.end(number, "succeeded")
    return number


async def until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what}: not within 10 s")


async def test_the_runner_runs_a_cron_skips_what_overlaps_and_goes_on(tmp_path: Path) -> None:
    clock, engine = MovedClock(), Gated()
    state = opened(tmp_path, clock, engine)
    serving = asyncio.create_task(Runner(state).serve())
    try:
        first = deploy(state, EVERY_MINUTE, ended=False)
        await until(lambda: state.records.deployment(first).has_ended, "the deployment")
        clock.time += timedelta(seconds=6)
        await until(lambda: bool(state.schedule.marks()), "the first look")
        assert runs(state) == []

        clock.time = START + timedelta(seconds=12)
        await until(lambda: engine.inside == 1, "the first run")
        clock.time += timedelta(minutes=1)
        await until(lambda: bool(state.schedule.omissions(TEST, limit=9)), "the skipped time")
        (omission,) = state.schedule.omissions(TEST, limit=9)
        assert (omission.kind, omission.due.minute) == ("skipped", 1)
        assert runs(state) == ["running"]

        engine.output["api/mail"] = ["two sent"]
        engine.gate.set()
        await until(lambda: runs(state) == ["succeeded"], "the end of the run")
        clock.time += timedelta(minutes=1)
        await until(lambda: runs(state) == ["succeeded", "succeeded"], "the next run")
        assert engine.most == 1
        last = state.records.runs(TEST, "api/mail", limit=1)[0]
        assert last.requested_by == "schedule"
        output = [item for item in state.records.events(last.number) if item.event.kind == "output"]
        assert [item.event.message for item in output] == ["two sent"]
        assert state.records.ledger(TEST) == []
    finally:
        serving.cancel()


async def test_a_runner_without_work_reads_its_record_once_a_second_and_looks_at_once_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    unfinished = SqlRecords.unfinished

    def counted(self: SqlRecords) -> Sequence[Pending]:
        asked.append(time.monotonic())
        return unfinished(self)

    state = opened(tmp_path, MovedClock())
    deploy(state, ended=True)
    monkeypatch.setattr(SqlRecords, "unfinished", counted)
    # the heartbeat writes too
    monkeypatch.setattr("ecluse.server.beat.HEARTBEAT", timedelta(minutes=1))
    serving = asyncio.create_task(Runner(state).serve())
    try:
        await until(lambda: bool(asked), "the first look")
        await asyncio.sleep(1.5)
        asked.clear()
        begun = time.monotonic()
        await asyncio.sleep(3)
        looks, seconds = len(asked), time.monotonic() - begun
        assert looks <= 2 * (seconds + 1), "two questions a look, a look a second"
        number = deploy(state, ended=False)
        await until(
            lambda: state.records.deployment(number).state != "queued", "the start of what was asked for"
        )
    finally:
        serving.cancel()


def test_a_runner_that_comes_back_makes_up_once_and_says_what_was_missed(tmp_path: Path) -> None:
    clock = MovedClock()
    state = opened(tmp_path, clock)
    deploy(state, Cron("mail", "0 * * * *", ("mail",)), ended=True)
    Crons(state).look()
    assert runs(state) == []

    clock.time = datetime(2026, 3, 2, 17, 10, tzinfo=UTC)
    back = opened(tmp_path, clock)
    Crons(back).look()
    assert [(item.intent.note) for item in back.records.runs(TEST, "api/mail", limit=9)] == [
        "makes up for 2026-03-02 17:00 UTC"
    ]
    (omission,) = back.schedule.omissions(TEST, limit=9)
    assert (omission.since, omission.due) == (
        START + timedelta(seconds=10),
        clock.time - timedelta(minutes=70),
    )
    Crons(opened(tmp_path, clock)).look()
    assert len(runs(back)) == 1


def test_a_clock_that_jumps_ahead_and_is_put_right_starts_one_run_and_none_twice(tmp_path: Path) -> None:
    clock = MovedClock()
    state = opened(tmp_path, clock)
    deploy(state, Cron("mail", "0 * * * *", ("mail",)), ended=True)
    crons = Crons(state)
    crons.look()

    clock.time = START + timedelta(hours=2, minutes=15)
    crons.look()
    assert [item.intent.note for item in state.records.runs(TEST, "api/mail", limit=9)] == [
        "makes up for 2026-03-02 14:00 UTC"
    ]
    _end_runs(state)
    clock.time = START + timedelta(seconds=30)
    for _ in range(25):
        crons.look()
        Crons(opened(tmp_path, clock)).look()
        clock.time += timedelta(minutes=5)
    assert len(runs(state)) == 1
    clock.time = datetime(2026, 3, 2, 15, 0, 3, tzinfo=UTC)
    Crons(opened(tmp_path, clock)).look()
    assert len(runs(state)) == 2


def test_a_clock_that_was_days_ahead_begins_anew_when_it_is_put_right(tmp_path: Path) -> None:
    clock = MovedClock(START + timedelta(days=3))
    state = opened(tmp_path, clock)
    deploy(state, Cron("mail", "0 * * * *", ("mail",)), ended=True)
    crons = Crons(state)
    crons.look()
    for seconds, count in ((0, 0), (8, 0), (16, 1), (24, 1)):
        clock.time = START + timedelta(seconds=seconds)
        crons.look()
        Crons(opened(tmp_path, clock)).look()
        assert len(runs(state)) == count


def _end_runs(state: ProductState) -> None:
    for item in state.records.unfinished():
        state.records.begin(item.number)
        state.records.end(item.number, "succeeded")


def test_what_did_not_run_is_listed_for_a_week_and_told_of_one_cron_for_longer(tmp_path: Path) -> None:
    clock = MovedClock()
    state = opened(tmp_path, clock)
    deploy(state, EVERY_MINUTE, ended=True)
    due = START - timedelta(minutes=1)
    old = Omission(TEST, ServiceName("api"), "mail", "missed", due, START - timedelta(days=8), "too old")
    new = replace(old, at=START, why="new")
    state.schedule.keep([], [old, new])
    place = Environment(TEST, "test.localhost", {}, "docker", {}, {})
    (listed,) = read_crons(state, place)
    assert (listed.next, listed.omissions) == (START + timedelta(seconds=10), (new,))
    assert read_cron(state, place, "api/mail", runs=1).omissions == (new, old)
    with pytest.raises(NotFound) as unknown:
        read_cron(state, place, "api/mial", runs=1)
    assert unknown.value.hint == "did you mean api/mail?"


def test_a_runner_killed_just_after_a_look_starts_nothing_twice(tmp_path: Path) -> None:
    clock = MovedClock()
    state = opened(tmp_path, clock)
    deploy(state, EVERY_MINUTE, ended=True)
    Crons(state).look()
    clock.time += timedelta(seconds=12)
    Crons(opened(tmp_path, clock)).look()
    clock.time += timedelta(seconds=6)
    Crons(opened(tmp_path, clock)).look()
    assert len(runs(state)) == 1
    assert list(state.schedule.omissions(TEST, limit=9)) == []


def test_a_schedule_that_cannot_be_read_stops_no_runner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = MovedClock()
    state = opened(tmp_path, clock)
    deploy(state, Cron("mail", "* * * * *", ("mail",), timezone="Nowhere/Land"), ended=True)
    crons = Crons(state)
    crons.look()
    clock.time += timedelta(minutes=1)
    crons.look()
    assert "the schedule could not be looked at" in caplog.text


def test_looking_at_the_crons_starts_no_heavy_library() -> None:
    """`ecluse crons` reads: it needs neither the durable steps nor the engine."""
    code = "import sys, ecluse.wiring.crons, ecluse.cli.crons_view; print('dbos' in sys.modules, 'aiodocker' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "False"]


def runs(state: ProductState) -> list[str]:
    """The states of the runs of the cron, oldest first."""
    return [item.state for item in state.records.runs(TEST, "api/mail", limit=99)][::-1]
