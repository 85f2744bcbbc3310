"""Which waiting deployments may start: one at a time in an environment; tasks on their own beside it."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.model.deployment import Pending


def startable(unfinished: Sequence[Pending]) -> list[int]:
    """Numbers to start now, given all unfinished deployments, oldest first."""
    busy = {item.environment for item in unfinished if item.state == "running" and item.kind != "run"}
    numbers = []
    for item in unfinished:
        if item.state != "queued":
            continue
        if item.kind == "run":
            numbers.append(item.number)
        elif item.environment not in busy:
            busy.add(item.environment)
            numbers.append(item.number)
    return numbers
