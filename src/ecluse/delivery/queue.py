"""Which waiting deployments may start, and for whom the others wait. Pure.

Deployments of different services of an environment go on side by side. Those that need the same thing (a service, a
backing service, the whole environment) go one after the other, in the order in which they were asked for; and the
same command never runs twice at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ecluse.errors import Busy
from ecluse.model.deployment import Pending
from ecluse.model.plan import ALONE, EVERYTHING


def startable(unfinished: Sequence[Pending]) -> list[int]:
    """Numbers to start now, given all unfinished deployments, oldest first."""
    return [item.number for item in unfinished if item.state == "queued" and not blocker(item, unfinished)]


def blocker(item: Pending, unfinished: Sequence[Pending]) -> Pending | None:
    """The one that `item` waits for: it runs, or it was asked for before. Nobody overtakes who waits for the same."""
    if item.state != "queued":
        return None
    before = (other for other in unfinished if other.state == "running" or other.number < item.number)
    return next((other for other in before if other.number != item.number and in_conflict(item, other)), None)


def in_conflict(one: Pending, other: Pending) -> bool:
    """Whether two deployments may not go on at once."""
    if one.environment != other.environment:
        return False
    if set(one.commands) & set(other.commands):
        return True
    if one.kind in ALONE or other.kind in ALONE:
        return False
    if EVERYTHING in (*one.claims, *other.claims):
        return True
    return bool(set(one.claims) & set(other.claims))


def waiting(holder: Pending) -> str:
    """What is said to who waits."""
    words = "waits for" if holder.state == "running" else "waits behind"
    return f"{words} deployment {holder.number} ({holder.kind}), asked by {holder.requested_by} at {_since(holder)}"


def occupant(unfinished: Iterable[Pending], commands: Collection[str]) -> Pending | None:
    """The first that runs, or will run, one of `commands`. All are of one environment."""
    return next((item for item in unfinished if set(commands) & set(item.commands)), None)


def busy(holder: Pending, commands: Collection[str]) -> Busy:
    """The refusal to run what `holder` has in hand."""
    command = next(name for name in commands if name in holder.commands)
    words = "runs already" if holder.state == "running" else "waits to run already"
    return Busy(
        f"{command} {words} in {holder.environment}: deployment {holder.number}, "
        f"asked by {holder.requested_by} at {_since(holder)}",
        hint="wait for its end; the same command never runs twice at once",
    )


def _since(holder: Pending) -> str:
    return holder.requested_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
