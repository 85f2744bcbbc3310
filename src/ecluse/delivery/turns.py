"""Turns within the one process that acts: what two deployments may not do at the same moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Turns:
    """Locks by name, shared by the deployments of a runner. They are gone with it, and so is what they guarded."""

    def __init__(self) -> None:
        self._locks: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    def entrance(self, environment: str) -> asyncio.Lock:
        """To say which names and hosts a gateway has, and to end a deployment: who reads what its neighbours
        brought must not read half of an end."""
        return self._locks["entrance", environment]

    def command(self, environment: str, subject: str) -> asyncio.Lock:
        """To run a task: the same one never runs twice at once, whichever deployment asks for it."""
        return self._locks["command", environment, subject]
