"""Following a deployment on a real record that another process writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ecluse.delivery import follow as following
from ecluse.delivery.follow import follow
from ecluse.errors import CutShort
from ecluse.model.event import Event, Recorded
from ecluse.model.names import ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.store.database import open_database
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import TARGET


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(following, "POLL_SECONDS", 0.01)


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    return SqlRecords(open_database(tmp_path))


def enqueue(records: SqlRecords, service: str = "api") -> int:
    plan = Plan("test", "deploy", "abc", (Step(ServiceName(service), None, "1"),), ())
    return records.enqueue(Intent(TARGET, plan, {}, {}), by="anna")


async def followed(records: SqlRecords, number: int) -> list[str]:
    return [item.event.kind async for item in follow(records, number)]


async def test_every_event_is_told_in_order_up_to_the_end(records: SqlRecords, tmp_path: Path) -> None:
    number, other = enqueue(records), SqlRecords(open_database(tmp_path))
    watching = asyncio.create_task(followed(records, number))
    await asyncio.sleep(0.05)
    other.begin(number)
    other.append(number, Event("note", "api", "one"))
    await asyncio.sleep(0.05)
    other.append(number, Event("note", "api", "two"))
    other.end(number, "succeeded")
    assert await asyncio.wait_for(watching, 10) == [
        "deployment.started",
        "note",
        "note",
        "deployment.succeeded",
    ]
    assert len(await asyncio.wait_for(followed(records, number), 10)) == 4


async def test_who_waits_is_told_once_for_each_that_is_before_it(records: SqlRecords) -> None:
    first, second, third = (enqueue(records) for _ in range(3))
    records.begin(first)
    told: list[int] = []
    seen: list[Recorded] = []

    async def watch() -> None:
        async for item in follow(records, third, waits=lambda holder: told.append(holder.number)):
            seen.append(item)

    watching = asyncio.create_task(watch())
    await until_told(told, [first])
    records.end(first, "succeeded")
    await until_told(told, [first, second])
    records.begin(second)
    records.end(second, "succeeded")
    records.begin(third)
    records.end(third, "succeeded")
    await asyncio.wait_for(watching, 10)
    assert told == [first, second]
    assert len(seen) == 2


async def until_told(told: list[int], expected: list[int]) -> None:
    for _ in range(500):
        if told == expected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"told {told}, not {expected}")


class Locked(SqlRecords):
    """A record that cannot be read for a while."""

    left = 3

    def stamp(self) -> int:
        if self.left:
            self.left -= 1
            raise CutShort("the record cannot be used now: database is locked")
        return super().stamp()


async def test_who_only_watches_is_patient_with_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    records = Locked(open_database(tmp_path))
    number = enqueue(records)
    records.begin(number)
    records.end(number, "failed")
    assert await asyncio.wait_for(followed(records, number), 10) == [
        "deployment.started",
        "deployment.failed",
    ]


async def test_a_record_that_stays_out_of_reach_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_SECONDS", 0.2)
    records = Locked(open_database(tmp_path))
    records.left = 1000
    with pytest.raises(CutShort):
        await asyncio.wait_for(followed(records, enqueue(records)), 10)


async def test_a_runner_is_asked_for_while_nothing_happens(records: SqlRecords) -> None:
    number, asked = enqueue(records), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def watch() -> None:
        async for _ in follow(
            records, number, keep_alive=lambda: loop.call_soon_threadsafe(asked.set) and None
        ):
            pass

    watching = asyncio.create_task(watch())
    await asyncio.wait_for(asked.wait(), 10)
    records.begin(number)
    records.end(number, "succeeded")
    await asyncio.wait_for(watching, 10)
