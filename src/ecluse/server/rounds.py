"""Something that the runner does again and again, beside its deployments: one round at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import ClassVar

from ecluse.errors import CutShort, EcluseError
from ecluse.model.application import Target
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName
from ecluse.ports import Clock, Engine
from ecluse.wiring.state import ProductState

log = logging.getLogger("ecluse.runner")


class Rounds:
    """Rounds of `act`, each begun `every` after the one before at the earliest."""

    def __init__(self, act: Callable[[], Awaitable[None]], *, every: timedelta, clock: Clock) -> None:
        self._act = act
        self._every = every
        self._clock = clock
        self._next: datetime | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        is_at_work = self._work is not None and not self._work.done()
        return not is_at_work and (self._next is None or self._clock.now() >= self._next)

    def look(self) -> None:
        """Begins a round when it is time to. Nobody waits for it."""
        if self.is_due:
            self._next = self._clock.now() + self._every
            self._work = asyncio.create_task(self._round())

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        if self._work is not None:
            await self._work

    async def _round(self) -> None:
        try:
            await self._act()
        except CutShort:
            # the runner notices by itself, and begins anew
            return
        except Exception:
            log.exception("a round was not ended")


class EnvironmentRounds:
    """Rounds through the environments of a product, which deployments do not wait for. What goes wrong in one is
    logged when it is news, and tried again in the next round."""

    every: ClassVar[timedelta]
    problem: ClassVar[str]
    """The beginning of a sentence that ends with why, with `{}` for the environment."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._told: dict[EnvironmentName, str] = {}
        self._rounds = Rounds(self._through, every=self.every, clock=state.clock)

    def look(self) -> None:
        """Begins a round when it is time to."""
        self._rounds.look()

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        await self._rounds.settled()

    def attend(self, engine: Engine, name: EnvironmentName, target: Target) -> AsyncIterator[Event]:
        """What is done in each environment."""
        raise AssertionError("for the classes below")

    async def _through(self) -> None:
        engine = self._state.engine()
        try:
            for name in self._state.records.environments():
                await self._attend(engine, name)
        finally:
            await engine.close()

    async def _attend(self, engine: Engine, name: EnvironmentName) -> None:
        try:
            if (target := self._state.target(name)) is not None:
                async for event in self.attend(engine, name, target):
                    log.info("%s: %s", name, event.message)
            self._told.pop(name, None)
        except CutShort:
            raise
        except Exception as error:
            told = error.message if isinstance(error, EcluseError) else repr(error)
            if self._told.get(name) != told:
                log.warning("%s: %s", self.problem.format(name), told)
            self._told[name] = told
