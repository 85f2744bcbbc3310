"""The runner's eye on certificates: those that expire soon, or whose files changed, are renewed in the running
gateways. How often an ACME server is asked again is for the engine to know."""

from __future__ import annotations

import logging
from datetime import timedelta

from ecluse.errors import CutShort
from ecluse.model.names import EnvironmentName
from ecluse.ports import Engine
from ecluse.server.rounds import News, Rounds
from ecluse.wiring.state import ProductState

EVERY = timedelta(minutes=10)

log = logging.getLogger("ecluse.runner")


class Renewals:
    """The certificates of every environment of one product."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._news = News()
        self._rounds = Rounds(self.renew, every=EVERY, clock=state.clock)

    def look(self) -> None:
        """Begins a round when it is time to; deployments do not wait for it."""
        self._rounds.look()

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        await self._rounds.settled()

    async def renew(self) -> None:
        """One round. What goes wrong is logged when it is news, and tried again in the next."""
        engine = self._state.engine()
        try:
            for name in self._state.records.environments():
                await self._renew(engine, name)
        finally:
            await engine.close()

    async def _renew(self, engine: Engine, name: EnvironmentName) -> None:
        subject = f"the certificate of {name} could not be renewed"
        try:
            if (target := self._state.target(name)) is not None:
                async for event in engine.renew(target):
                    log.info("%s: %s", name, event.message)
            self._news.clear(subject)
        except CutShort:
            raise
        except Exception as error:
            self._news.warn(subject, error)
