"""The runner's eye on certificates: those that expire soon, or whose files changed, are renewed in the running
gateways. How often an ACME server is asked again is for the engine to know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from ecluse.model.application import Target
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName
from ecluse.ports import Engine
from ecluse.server.rounds import EnvironmentRounds


class Renewals(EnvironmentRounds):
    """The certificates of every environment of one product."""

    every = timedelta(minutes=10)
    problem = "the certificate of {} could not be renewed"

    def attend(self, engine: Engine, name: EnvironmentName, target: Target) -> AsyncIterator[Event]:
        return engine.renew(target)
