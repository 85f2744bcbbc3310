"""Follows a deployment through its recorded events, until it has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

from ecluse.delivery.queue import blocker
from ecluse.errors import CutShort, RecordDamaged
from ecluse.model.deployment import Pending
from ecluse.model.event import Recorded
from ecluse.ports import Records

POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 600.0
"""So long a record that cannot be read is looked at again: the deployment is not in our hands."""
END_KINDS = frozenset(
    {"deployment.succeeded", "deployment.restored", "deployment.failed", "deployment.cancelled"}
)


async def follow(
    records: Records,
    number: int,
    *,
    keep_alive: Callable[[], None] | None = None,
    waits: Callable[[Pending], None] | None = None,
) -> AsyncIterator[Recorded]:
    """Every event of a deployment, as it is recorded; ends with the deployment.

    keep_alive: called about once a second while nothing happens: starts a runner when the last one died.
    waits: called with each deployment that this one waits for.
    """
    reading = _Reading(records, number, waits)
    blind = 0.0
    while not reading.is_over:
        try:
            for recorded in reading.news():
                yield recorded
            if reading.is_due() and keep_alive is not None:
                await asyncio.to_thread(keep_alive)
            blind = 0.0
        except RecordDamaged:
            raise
        except CutShort:
            blind += LOOK_SECONDS
            if blind > PATIENCE_SECONDS:
                raise
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(POLL_SECONDS)


class _Reading:
    """How far one deployment was followed."""

    def __init__(self, records: Records, number: int, waits: Callable[[Pending], None] | None) -> None:
        self._records = records
        self._number = number
        self._waits = waits
        self._last = 0
        self._stamp: int | None = None
        self._holder: int | None = None
        self._heard_at = self._looked_at = 0.0
        self._has_ended = False
        self.is_over = False

    def news(self) -> Iterator[Recorded]:
        """Asks for events only when something was written, or once in a while."""
        now = time.monotonic()
        stamp = self._records.stamp()
        if stamp == self._stamp and now - self._looked_at < LOOK_SECONDS:
            return
        self._stamp, self._looked_at = stamp, now
        for recorded in self._records.events(self._number, after=self._last):
            self._last, self._heard_at = recorded.number, now
            self.is_over = self.is_over or recorded.event.kind in END_KINDS
            yield recorded
        self.is_over = self.is_over or self._has_ended

    def is_due(self) -> bool:
        """Was it quiet long enough to look at more than events?"""
        now = time.monotonic()
        if self.is_over or now - self._heard_at < LOOK_SECONDS:
            return False
        self._heard_at = now
        if self._records.deployment(self._number).has_ended:
            # what was written before the end is read once more
            self._has_ended, self._stamp = True, None
        elif self._last == 0 and self._waits is not None:
            self._tell_holder(self._waits)
        return not self._has_ended

    def _tell_holder(self, waits: Callable[[Pending], None]) -> None:
        unfinished = self._records.unfinished()
        mine = next((item for item in unfinished if item.number == self._number), None)
        found = blocker(mine, unfinished) if mine else None
        if found is not None and found.number != self._holder:
            self._holder = found.number
            waits(found)
