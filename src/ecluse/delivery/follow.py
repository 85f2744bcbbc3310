"""Follows a deployment through its recorded events, until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ecluse.model.event import Recorded
from ecluse.ports import Records

POLL_SECONDS = 0.05
END_KINDS = frozenset(
    {"deployment.succeeded", "deployment.restored", "deployment.failed", "deployment.cancelled"}
)


async def follow(records: Records, number: int) -> AsyncIterator[Recorded]:
    """Every event of a deployment, as it is recorded; ends with the deployment."""
    last = 0
    while True:
        for recorded in records.events(number, after=last):
            last = recorded.number
            yield recorded
            if recorded.event.kind in END_KINDS:
                return
        await asyncio.sleep(POLL_SECONDS)
