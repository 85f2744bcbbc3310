"""From the words of `rotate` to an intent: new passwords, and the applications that know them. Reads only."""

from __future__ import annotations

from dataclasses import replace

from ecluse.delivery.plan import make_plan
from ecluse.delivery.rotation import first_changes, last_changes, turned
from ecluse.errors import NotFound, Refused, nearest
from ecluse.model.application import BackingService, Desired, password_purpose
from ecluse.model.deployment import KnownGood
from ecluse.model.plan import Intent
from ecluse.model.product import Environment
from ecluse.ports import Vault
from ecluse.wiring.passwords import redressed
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal, observe
from ecluse.wiring.state import ProductState


async def propose_rotation(
    product: OpenProduct, environment: Environment, name: str | None, client: str | None, state: ProductState
) -> Proposal:
    """The intent to give new passwords to the clients of one backing service, or of all, and to replace them."""
    known = state.records.known_good(environment.name)
    target = state.target(environment.name) or product.target(environment)
    backing = _turned_backing(environment, known, name, client, state.vault)
    applications = redressed(known.applications, known.backing, backing, state.vault)
    observed = await observe(state, target)
    ids = {item.name: item.id for item in observed.backing if item.state == "ready"}
    for changed, _ in turned(known.backing, backing):
        if changed not in ids:
            raise Refused(
                f"{changed} does not run in {environment.name}", hint=f"ecluse deploy {environment.name}"
            )
    clients = {service for _, service in turned(known.backing, backing)}
    mine = {service: item for service, item in applications.items() if service in clients}
    desired = Desired(target, mine, backing, known.revision or "")
    plan = make_plan(desired, observed, known, state.records.ledger(environment.name), kind="rotate")
    changes = (
        *first_changes(known.backing, backing, ids),
        *plan.changes,
        *last_changes(known.backing, backing, mine),
    )
    intent = Intent(
        target,
        replace(plan, changes=changes),
        mine,
        {service: known.applications[service] for service in mine},
        {service: item for service, item in known.applications.items() if service not in mine},
        backing,
        known.backing,
        circumstances=known.circumstances,
    )
    return Proposal(intent, state)


def _turned_backing(
    environment: Environment, known: KnownGood, name: str | None, client: str | None, vault: Vault
) -> dict[str, BackingService]:
    if name is not None and name not in known.backing:
        raise NotFound(
            f"no backing service {name!r} runs in {environment.name}", hint=nearest(name, known.backing)
        )
    if not known.backing:
        raise NotFound(
            f"no backing service runs in {environment.name}", hint=f"ecluse deploy {environment.name}"
        )
    if name is not None and client is not None and client not in known.backing[name].accounts:
        accounts = known.backing[name].accounts
        raise NotFound(f"{client!r} has no account of {name}", hint=nearest(client, list(map(str, accounts))))
    return {
        other: _turned(environment, item, client, vault) if name in (None, other) else item
        for other, item in known.backing.items()
    }


def _turned(
    environment: Environment, item: BackingService, client: str | None, vault: Vault
) -> BackingService:
    turns = {account: item.turn(account) + 1 for account in item.accounts if client in (None, account)}
    fresh = {
        account: vault.seal(vault.derive(password_purpose(environment.name, item.name, account, turn)))
        for account, turn in turns.items()
    }
    return replace(item, accounts={**item.accounts, **fresh}, turns={**item.turns, **turns}, former={})
