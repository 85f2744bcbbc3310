"""The runner's eye on what runs: what the engine did not bring back by itself, after a reboot for example, is brought
back, in the order of what uses what."""

from __future__ import annotations

import logging
from datetime import timedelta

from ecluse.errors import CutShort
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import ALONE
from ecluse.ports import Engine
from ecluse.server.rounds import News, Rounds
from ecluse.wiring.state import ProductState

EVERY = timedelta(seconds=10)

log = logging.getLogger("ecluse.runner")


class Recovery:
    """Every environment of one product in which no deployment is under way: those see to themselves."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._news = News()
        self._rounds = Rounds(self.recover, every=EVERY, clock=state.clock)

    def look(self) -> None:
        """Begins a round when it is time to; deployments do not wait for it."""
        self._rounds.look()

    async def settled(self) -> None:
        """Returns when the round that is under way has ended."""
        await self._rounds.settled()

    async def recover(self) -> None:
        """One round. What goes wrong is logged when it is news, and tried again in the next."""
        engine = self._state.engine()
        try:
            for name in self._state.records.environments():
                await self._recover(engine, name)
        finally:
            await engine.close()

    async def _recover(self, engine: Engine, name: EnvironmentName) -> None:
        subject = f"not all of {name} could be brought back"
        try:
            target = self._state.target(name)
            if target is None or self._is_changing(name):
                return
            applications = self._state.records.known_good(name).applications
            async for event in engine.recover(target, applications):
                log.info("%s: %s", name, event.message)
            self._news.clear(subject)
        except CutShort:
            raise
        except Exception as error:
            self._news.warn(subject, error)

    def _is_changing(self, name: EnvironmentName) -> bool:
        pending = self._state.records.unfinished()
        return any(item.environment == name and item.kind not in ALONE for item in pending)
