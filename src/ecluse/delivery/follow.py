"""Follows a deployment through its recorded events, until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ecluse.model.event import Recorded
from ecluse.ports import Records

POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0
END_KINDS = frozenset(
    {"deployment.succeeded", "deployment.restored", "deployment.failed", "deployment.cancelled"}
)


async def follow(
    records: Records, number: int, *, keep_alive: Callable[[], None] | None = None
) -> AsyncIterator[Recorded]:
    """Every event of a deployment, as it is recorded; ends with the deployment.

    keep_alive: called about once a second while nothing happens: starts a runner when the last one died.
    """
    last, quiet = 0, 0.0
    while True:
        for recorded in records.events(number, after=last):
            last, quiet = recorded.number, 0.0
            yield recorded
            if recorded.event.kind in END_KINDS:
                return
        await asyncio.sleep(POLL_SECONDS)
        quiet += POLL_SECONDS
        if quiet >= LOOK_SECONDS:
            quiet = 0.0
            if records.deployment(number).has_ended:
                return
            if keep_alive is not None:
                await asyncio.to_thread(keep_alive)
