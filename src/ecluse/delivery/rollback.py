"""To what a rollback goes back. Pure, on the history of one environment."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ecluse.errors import NotFound, UsageError
from ecluse.model.deployment import Deployment, LedgerEntry
from ecluse.model.names import ServiceName

MOVING = frozenset({"deploy", "promote", "rollback"})


def target(history: Sequence[Deployment], services: Sequence[ServiceName], to: int | None) -> int:
    """The deployment whose result is to be restored. `history` is newest first.

    Without `to`: the one before what runs now. Having rolled back to N, what runs now counts as N, so that
    a second rollback goes further back and not forth to what was rolled back from.
    """
    moves = [item for item in history if item.kind in MOVING and item.state == "succeeded"]
    if to is not None:
        if any(item.number == to for item in moves):
            return to
        raise NotFound(f"deployment {to} did not succeed here", hint="`ecluse history ENV` lists them")
    touching = [item for item in moves if not services or set(services) & set(item.intent.plan.services)]
    if not touching:
        raise UsageError("there is nothing to roll back: no deployment succeeded here")
    position = touching[0].intent.rolled_to or touching[0].number
    earlier = [item.number for item in moves if item.number < position]
    if not earlier:
        raise UsageError(f"there is nothing before deployment {position} to go back to")
    return earlier[0]


def taken_back(history: Sequence[Deployment], services: Collection[ServiceName], to: int) -> list[Deployment]:
    """The deployments that a rollback to `to` undoes, newest first. What an earlier rollback undid is not among
    them, nor is a rollback itself."""
    moves = [item for item in history if item.kind in MOVING and item.state == "succeeded"]
    touching = [item for item in moves if set(services) & set(item.intent.plan.services)]
    undone: set[int] = set()
    found = []
    for item in touching:
        if item.intent.rolled_to is not None:
            undone.update(one.number for one in touching if item.intent.rolled_to < one.number < item.number)
        elif item.number > to and item.number not in undone:
            found.append(item)
    return found


def passed_irreversible(ledger: Sequence[LedgerEntry], to: int) -> list[LedgerEntry]:
    """The irreversible tasks that ran after deployment `to`: going back past them needs a human's yes."""
    return [entry for entry in ledger if entry.deployment > to and not entry.reversible]
