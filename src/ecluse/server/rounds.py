"""Something that the runner does again and again, beside its deployments: one round at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from ecluse.errors import CutShort, EcluseError
from ecluse.ports import Clock

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


class News:
    """Warns of a problem once, until it is gone or is another one."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def warn(self, subject: str, error: Exception) -> None:
        """subject: the beginning of a sentence that ends with why."""
        told = error.message if isinstance(error, EcluseError) else repr(error)
        if self._told.get(subject) != told:
            log.warning("%s: %s", subject, told)
        self._told[subject] = told

    def clear(self, subject: str) -> None:
        self._told.pop(subject, None)
