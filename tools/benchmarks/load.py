"""A steady load of several kinds of request, from a client that never tries again. Keeps every outcome.

Each client has a schedule that does not wait for the service: a late answer counts from when its request was due.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

TIMEOUT_SECONDS = 30.0
ECHO = bytes(range(256)) * 256
DOWNLOAD_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request. period: seconds from one request of a client to its next, drawn from a range."""

    name: str
    path: str = "/"
    body: bytes | None = None
    clients: int = 1
    period: tuple[float, float] = (0.05, 0.05)
    keeps: bool = True
    expected: int | None = None


KINDS = (
    Kind("new connections", clients=2, keeps=False),
    Kind("keep-alive", clients=4),
    Kind("idle keep-alive, 7 to 10 s", clients=10, period=(7.0, 10.0)),
    Kind("POST of 64 KiB", path="/echo", body=ECHO, clients=2, period=(0.2, 0.2)),
    Kind("answer after 2 s", path="/slow", clients=4, period=(2.5, 2.5)),
    Kind("download of 8 MiB", path="/download", clients=1, period=(1.0, 1.0), expected=DOWNLOAD_BYTES),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. due, ended: time.monotonic(). lost: why it counts as lost, None when it was answered well."""

    kind: str
    due: float
    sent: float
    ended: float
    version: str
    lost: str | None

    @property
    def seconds(self) -> float:
        return self.ended - self.due


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Lost(Exception):
    """A request without a good answer; the text says why."""


class Load:
    """The clients, while they run, and what they saw."""

    def __init__(self, port: int, host: str, kinds: Sequence[Kind] = KINDS) -> None:
        self.samples: list[Sample] = []
        self._port = port
        self._host = host
        self._kinds = kinds
        self._is_over = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts the clients; at the end lets each finish the request that it has in hand."""
        clients = [
            asyncio.create_task(_Client(self, kind, number).work())
            for kind in self._kinds
            for number in range(kind.clients)
        ]
        try:
            yield
        finally:
            self._is_over = True
            done, late = await asyncio.wait(clients, timeout=TIMEOUT_SECONDS + 5)
            for task in late:
                task.cancel()
            for task in done:
                task.result()

    @property
    def is_over(self) -> bool:
        return self._is_over

    async def open(self) -> _Connection:
        return await _Connection.open(self._port, self._host)


class _Client:
    """One client of one kind: one request after the other."""

    def __init__(self, load: Load, kind: Kind, number: int) -> None:
        self._load = load
        self._kind = kind
        self._random = random.Random(f"{kind.name} {number}")
        self._connection: _Connection | None = None

    async def work(self) -> None:
        due = time.monotonic() + self._random.uniform(0, self._kind.period[0])
        while await self._waited(due):
            self._load.samples.append(await self._sample(due))
            due += self._random.uniform(*self._kind.period)
        self._drop()

    async def _waited(self, due: float) -> bool:
        """False when the load ended first."""
        while (left := due - time.monotonic()) > 0 and not self._load.is_over:
            await asyncio.sleep(min(left, 0.5))
        return not self._load.is_over

    async def _sample(self, due: float) -> Sample:
        sent = time.monotonic()
        version, lost = "", None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                version = await self._exchange()
        except Lost as error:
            lost = str(error)
        except TimeoutError:
            lost = f"no answer in {TIMEOUT_SECONDS:.0f} s"
        except ConnectionRefusedError:
            lost = "refused"
        except OSError:
            lost = "reset"
        except asyncio.IncompleteReadError as error:
            lost = "truncated" if error.partial else "closed without an answer"
        if lost is not None or not self._kind.keeps:
            self._drop()
        return Sample(self._kind.name, due, sent, time.monotonic(), version, lost)

    async def _exchange(self) -> str:
        # a server may close a connection that is idle: a client sees that before it uses it again
        if self._connection is None or self._connection.was_closed:
            self._drop()
            self._connection = await self._load.open()
        reply = await self._connection.ask(self._kind)
        if "close" in reply.headers.get("connection", "").lower():
            self._drop()
        if reply.status != 200:
            raise Lost(f"status {reply.status}")
        if self._kind.body is not None and reply.body != self._kind.body:
            raise Lost("another body")
        if self._kind.expected is not None and len(reply.body) != self._kind.expected:
            raise Lost("another length")
        return reply.headers.get("x-version", "")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection:
    """HTTP/1.1 by hand, so that nothing is tried again behind our back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, port: int, host: str) -> _Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port), host)

    @property
    def was_closed(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    async def ask(self, kind: Kind) -> Reply:
        body = kind.body or b""
        method = "GET" if kind.body is None else "POST"
        head = f"{method} {kind.path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        if not kind.keeps:
            head += "Connection: close\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        await self._writer.drain()
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        try:
            answer = await self._reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError as error:
            raise Lost("truncated") from error
        return Reply(int(first.split(" ")[1]), headers, answer)

    def close(self) -> None:
        self._writer.close()
