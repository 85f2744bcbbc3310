"""What two deployments make of one backing service, side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecluse.model.application import BackingService


def joined(
    mine: BackingService, there: BackingService | None, before: BackingService | None
) -> BackingService:
    """What stands there, with what I made of it since `before`: what I left as it was is as others made it.
    Every account of both is kept, each with its latest password."""
    if there is None:
        return mine
    form = there if before is not None and _form(mine) == _form(before) else mine
    newer = [client for client in there.turns if there.turn(client) > mine.turn(client)]
    later = {client: there.accounts[client] for client in newer if client in there.accounts}
    return replace(
        form,
        accounts={**there.accounts, **mine.accounts, **later},
        turns={**there.turns, **mine.turns, **{client: there.turns[client] for client in newer}},
        former=mine.former,
    )


def all_joined(
    mine: Mapping[str, BackingService],
    there: Mapping[str, BackingService],
    before: Mapping[str, BackingService],
) -> dict[str, BackingService]:
    """Each of mine, joined."""
    return {name: joined(item, there.get(name), before.get(name)) for name, item in mine.items()}


def _form(item: BackingService) -> BackingService:
    """All but who may use it."""
    return replace(item, accounts={}, turns={}, former={})
