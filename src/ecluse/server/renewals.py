"""The runner's eye on certificates: those that expire soon, or whose files changed, are renewed in the running
gateways. How often an ACME server is asked again is for the engine to know."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from ecluse.errors import EcluseError
from ecluse.model.names import EnvironmentName
from ecluse.ports import Engine
from ecluse.wiring.state import ProductState

EVERY = timedelta(minutes=10)

log = logging.getLogger("ecluse.runner")


class Renewals:
    """The certificates of every environment of one product."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._next: datetime | None = None
        self._work: asyncio.Task[None] | None = None
        self._told: dict[EnvironmentName, str] = {}

    def look(self) -> None:
        """Begins a round when it is time to; deployments do not wait for it."""
        now = self._state.clock.now()
        if self._work is not None and not self._work.done():
            return
        if self._next is None or now >= self._next:
            self._next = now + EVERY
            self._work = asyncio.create_task(self.renew())

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        if self._work is not None:
            await self._work

    async def renew(self) -> None:
        """One round. What goes wrong is logged when it is news, and tried again in the next."""
        engine = self._state.engine()
        try:
            for name in self._state.records.environments():
                await self._renew(engine, name)
        finally:
            await engine.close()

    async def _renew(self, engine: Engine, name: EnvironmentName) -> None:
        try:
            if (target := self._state.target(name)) is not None:
                async for event in engine.renew(target):
                    log.info("%s: %s", name, event.message)
            self._told.pop(name, None)
        except Exception as error:
            told = error.message if isinstance(error, EcluseError) else repr(error)
            if self._told.get(name) != told:
                log.warning("the certificate of %s could not be renewed: %s", name, told)
            self._told[name] = told
