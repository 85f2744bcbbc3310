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

from benchmarks.kinds import KINDS, TIMEOUT_SECONDS, Kind, Lost
from benchmarks.speakers import Connection, Where, connect


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


class Load:
    """The clients, while they run, and what they saw."""

    def __init__(self, where: Where, kinds: Sequence[Kind] = KINDS) -> None:
        self.samples: list[Sample] = []
        self._where = where
        self._kinds = [kind for kind in kinds if where.answers(kind)]
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

    async def open(self, kind: Kind) -> Connection:
        return await connect(self._where, kind)


class _Client:
    """One client of one kind: one request after the other."""

    def __init__(self, load: Load, kind: Kind, number: int) -> None:
        self._load = load
        self._kind = kind
        self._random = random.Random(f"{kind.name} {number}")
        self._connection: Connection | None = None

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
            self._connection = await self._load.open(self._kind)
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
