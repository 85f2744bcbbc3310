"""Waits for an engine that goes away and comes back: Docker is restarted, upgraded, or its machine is. What acts
converges, so that it begins again and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ecluse.engines.docker import labels
from ecluse.engines.docker.client import Client, Unreachable
from ecluse.errors import EngineError
from ecluse.model.event import Event

PATIENCE_SECONDS = 600.0
QUIET_SECONDS = 15.0
"""As long as this without a change: what does not run now was stopped by somebody, or never ready."""
_POLL_SECONDS = 0.5


class _Acting(Protocol):
    @property
    def client(self) -> Client: ...


Self = TypeVar("Self", bound=_Acting)
Words = ParamSpec("Words")
Method = Callable[Concatenate[Self, Words], AsyncIterator[Event]]


def patient(method: Method[Self, Words]) -> Method[Self, Words]:
    """The method, begun again when the engine is back. Unreachable when it stays away for ten minutes."""

    @wraps(method)
    async def waiting(self: Self, /, *args: Words.args, **named: Words.kwargs) -> AsyncIterator[Event]:
        while True:
            try:
                async for event in method(self, *args, **named):
                    yield event
                return
            except Unreachable as error:
                gone = error
            yield Event("note", message="Docker does not answer: waiting for it to come back")
            await _back(self.client, gone)
            yield Event("note", message="Docker answers again: going on")

    return waiting


async def _back(client: Client, gone: Unreachable) -> None:
    """Until the engine answers, and has started again what it starts by itself (which it tells nobody)."""
    loop = asyncio.get_running_loop()
    given_up = loop.time() + PATIENCE_SECONDS
    seen, since = None, loop.time()
    while True:
        states = await _states(client)
        if states != seen:
            seen, since = states, loop.time()
        if states is None and loop.time() > given_up:
            raise gone
        is_quiet = loop.time() - since > QUIET_SECONDS
        if states is not None and (is_quiet or set(states.values()) <= {"running", "created"}):
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _states(client: Client) -> dict[str, str] | None:
    """The state of every container that should be there for good, by id; None while nobody answers."""
    try:
        found = await client.call(
            "GET",
            "containers/json",
            what="list containers",
            params={"all": True, "filters": {"label": [labels.KIND]}},
            seconds=10.0,
        )
    except EngineError:
        return None
    listed = [labels.container(item) for item in found]
    return {item.id: item.status for item in listed if item.kind in ("replica", "gateway", "edge", "backing")}
