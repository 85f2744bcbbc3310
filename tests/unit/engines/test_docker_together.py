"""Several streams of events as one: what comes, comes; what fails stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ecluse.engines.docker.together import together
from ecluse.errors import EngineError
from ecluse.model.event import Event


async def said(name: str, count: int, *, at_work: list[str], seen: list[int]) -> AsyncIterator[Event]:
    at_work.append(name)
    for number in range(count):
        seen.append(len(at_work))
        await asyncio.sleep(0)
        yield Event("note", name, str(number))
    at_work.remove(name)


async def test_all_events_come_each_stream_in_its_order_and_no_more_at_a_time_than_allowed() -> None:
    at_work: list[str] = []
    seen: list[int] = []
    streams = [said(name, 3, at_work=at_work, seen=seen) for name in "abcde"]
    events = [event async for event in together(streams, limit=2)]
    assert len(events) == 15
    for name in "abcde":
        assert [event.message for event in events if event.subject == name] == ["0", "1", "2"]
    assert max(seen) == 2


async def test_the_first_failure_stops_the_others_and_is_raised() -> None:
    stopped = asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        try:
            yield Event("note", "endless")
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def failing() -> AsyncIterator[Event]:
        yield Event("note", "failing")
        raise EngineError("it broke")

    events: list[str] = []

    async def listen() -> None:
        async for event in together([endless(), failing()], limit=4):
            events.append(event.subject)

    with pytest.raises(EngineError, match="it broke"):
        await listen()
    assert sorted(events) == ["endless", "failing"]
    assert stopped.is_set()


async def test_who_stops_listening_stops_them_all() -> None:
    at_work: list[str] = []
    stream = together([said("a", 5, at_work=at_work, seen=[])], limit=1)
    assert (await anext(stream)).message == "0"
    await stream.aclose()  # type: ignore[attr-defined]
    assert [event async for event in together([], limit=1)] == []
