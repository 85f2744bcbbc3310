"""Log lines of the replicas of a service, merged in the order of time, and followed while replicas come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace

from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.output import Lines, Mask, stamped
from ecluse.engines.docker.replicas import Replicas
from ecluse.model.event import LogLine

LOOK_SECONDS = 1.0
_PENDING_LINES = 1000
_MICROSECOND = 1e-6

_Reader = asyncio.Task[float | None]
"""Reads one replica to the end of its log; its result is the time from which to read on."""


class Logs:
    """The logs of one service, or of one of its processes. `since`: seconds before now."""

    def __init__(
        self,
        replicas: Replicas,
        service: str,
        process: str | None,
        *,
        client: Client,
        since: float | None,
        tail: int | None,
    ) -> None:
        self._service = service
        self._process = process
        self._client = client
        self._replicas = replicas
        self._since = None if since is None else time.time() - since
        self._tail = tail

    async def read(self) -> AsyncIterator[LogLine]:
        """What there is now."""
        parts = await asyncio.gather(*(self._all(item) for item in await self._known()))
        lines = sorted((line for part in parts for line in part), key=lambda line: line.at)
        first = 0 if self._tail is None else max(0, len(lines) - self._tail)
        for line in lines[first:]:
            yield line

    async def follow(self) -> AsyncIterator[LogLine]:
        """What there is now, then what comes, from replicas that appear later too. Ends when it is closed."""
        known, start = await self._known(), time.time()
        shown = {item.name: start for item in known}
        async for line in self.read():
            shown[line.replica] = line.at.timestamp() + _MICROSECOND
            yield line
        queue: asyncio.Queue[LogLine] = asyncio.Queue(_PENDING_LINES)
        readers = {item.id: self._reader(item, shown[item.name], queue) for item in known}
        looking = asyncio.create_task(self._look(readers, queue))
        try:
            while True:
                yield await queue.get()
        finally:
            looking.cancel()
            for reader in readers.values():
                reader.cancel()
            await asyncio.gather(looking, *readers.values(), return_exceptions=True)

    async def _look(self, readers: dict[str, _Reader], queue: asyncio.Queue[LogLine]) -> None:
        """Looks for replicas that are new, or that came back after an end."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for item in await self._replicas.of(self._service, self._process):
                reader = readers.get(item.id)
                if reader is None:
                    readers[item.id] = self._reader(item, None, queue)
                elif reader.done() and item.is_running:
                    readers[item.id] = self._reader(item, reader.result(), queue)

    def _reader(self, item: Container, since: float | None, queue: asyncio.Queue[LogLine]) -> _Reader:
        async def pump() -> float | None:
            last = since
            with suppress(ApiError):
                async for line in self._lines(item, follow=True, since=since, tail=None):
                    last = line.at.timestamp() + _MICROSECOND
                    await queue.put(line)
            return last

        return asyncio.create_task(pump())

    async def _known(self) -> list[Container]:
        return await self._replicas.some(self._service, self._process)

    async def _all(self, item: Container) -> list[LogLine]:
        lines = self._lines(item, follow=False, since=self._since, tail=self._tail)
        try:
            return [line async for line in lines]
        except ApiError as error:
            if error.status == 404:
                return []
            raise

    async def _lines(
        self, item: Container, *, follow: bool, since: float | None, tail: int | None
    ) -> AsyncIterator[LogLine]:
        params: dict[str, object] = {"stdout": True, "stderr": True, "timestamps": True, "follow": follow}
        params |= {} if since is None else {"since": f"{since:.9f}"}
        params |= {} if tail is None else {"tail": tail}
        lines = Lines()
        async with self._client.request(
            "GET",
            f"containers/{item.id}/logs",
            what=f"read the log of {item.name}",
            params=params,
            seconds=None,
        ) as response:
            async for data in response.content.iter_any():
                for is_error, text in lines.feed(data):
                    yield _line(item, text, is_error)
        for is_error, text in lines.rest():
            yield _line(item, text, is_error)


async def masked(lines: AsyncIterator[LogLine], mask: Mask) -> AsyncIterator[LogLine]:
    """The same lines without the secrets that a program writes."""
    async with aclosing(lines) as open_lines:  # type: ignore[type-var]  # they are generators
        async for line in open_lines:
            yield replace(line, text=mask.hide(line.text))


def _line(item: Container, text: str, is_error: bool) -> LogLine:  # noqa: FBT001  # pairs come from Lines
    at, rest = stamped(text)
    return LogLine(at, item.name, rest, is_error)
