"""The runner's eye on what runs: what the engine did not bring back by itself, after a reboot for example, is brought
back, in the order of what uses what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from ecluse.model.application import Target
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import ALONE
from ecluse.ports import Engine
from ecluse.server.rounds import EnvironmentRounds


class Recovery(EnvironmentRounds):
    """Every environment of one product in which no deployment is under way: those see to themselves."""

    every = timedelta(seconds=10)
    problem = "not all of {} could be brought back"

    async def attend(self, engine: Engine, name: EnvironmentName, target: Target) -> AsyncIterator[Event]:
        records = self._state.records
        if any(item.environment == name and item.kind not in ALONE for item in records.unfinished()):
            return
        async for event in engine.recover(target, records.known_good(name).applications):
            yield event
