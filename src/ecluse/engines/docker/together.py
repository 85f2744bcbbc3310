"""Several streams of events as one. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from ecluse.model.event import Event


async def together(streams: Iterable[AsyncIterator[Event]], *, limit: int) -> AsyncIterator[Event]:
    """The events of all as they come, of `limit` streams at a time. The first failure stops the others, and is raised
    when they have stopped."""
    room = asyncio.Semaphore(limit)
    told: asyncio.Queue[Event | Exception | None] = asyncio.Queue()

    async def follow(stream: AsyncIterator[Event]) -> None:
        """Each event, then how it ended."""
        try:
            async with room:
                async for event in stream:
                    told.put_nowait(event)
        except Exception as error:
            told.put_nowait(error)
        else:
            told.put_nowait(None)

    tasks = [asyncio.create_task(follow(stream)) for stream in streams]
    left = len(tasks)
    try:
        while left:
            match await told.get():
                case None:
                    left -= 1
                case Event() as event:
                    yield event
                case error:
                    raise error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
