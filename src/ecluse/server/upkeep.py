"""The runner's eye on what piles up: images of old releases, leftovers of builds, commands that ran long ago. They go
before the disk is full, not when it is."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from ecluse.errors import EcluseError
from ecluse.server.rounds import Rounds
from ecluse.wiring.state import ProductState
from ecluse.wiring.tidying import discard_images, needed_images

EVERY = timedelta(hours=1)
KEPT_RUNS = 200
"""Of each command in each environment: a cron of every five minutes is remembered for most of a day."""

log = logging.getLogger("ecluse.runner")


class Upkeep:
    """What is kept of one product."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._rounds = Rounds(self.tidy, every=EVERY, clock=state.clock)

    def look(self) -> None:
        """Begins a round when it is time to, and nothing is under way that may need an image of its own."""
        if self._rounds.is_due and not self._state.records.unfinished():
            self._rounds.look()

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        await self._rounds.settled()

    async def tidy(self) -> None:
        """One round. What goes wrong is logged, and tried again in the next."""
        try:
            forgotten = self._state.records.thin(KEPT_RUNS)
            needed = await needed_images(self._state)
            gone = await asyncio.to_thread(discard_images, self._state, needed)
        except EcluseError as error:
            log.warning("what piles up could not be removed: %s", error.message)
            return
        if forgotten or gone:
            log.info("forgot %d old runs, removed images: %s", forgotten, ", ".join(gone) or "none")
