"""Which waiting deployments may start: one at a time in an environment; commands on their own beside it, but
never the same command of the same service twice at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ecluse.errors import Busy
from ecluse.model.deployment import Pending
from ecluse.model.plan import ALONE


def startable(unfinished: Sequence[Pending]) -> list[int]:
    """Numbers to start now, given all unfinished deployments, oldest first."""
    running = [item for item in unfinished if item.state == "running"]
    busy = {item.environment for item in running if item.kind not in ALONE}
    commands = {place for item in running for place in _places(item)}
    numbers = []
    for item in unfinished:
        if item.state != "queued" or commands.intersection(_places(item)):
            continue
        if item.kind not in ALONE:
            if item.environment in busy:
                continue
            busy.add(item.environment)
        commands.update(_places(item))
        numbers.append(item.number)
    return numbers


def occupant(unfinished: Iterable[Pending], commands: Collection[str]) -> Pending | None:
    """The first that runs, or will run, one of `commands`. All are of one environment."""
    return next((item for item in unfinished if set(commands) & set(item.commands)), None)


def busy(holder: Pending, commands: Collection[str]) -> Busy:
    """The refusal to run what `holder` has in hand."""
    command = next(name for name in commands if name in holder.commands)
    words = "runs already" if holder.state == "running" else "waits to run already"
    since = holder.requested_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return Busy(
        f"{command} {words} in {holder.environment}: deployment {holder.number}, "
        f"asked by {holder.requested_by} at {since}",
        hint="wait for its end; the same command never runs twice at once",
    )


def _places(item: Pending) -> Iterable[tuple[str, str]]:
    return ((item.environment, command) for command in item.commands)
