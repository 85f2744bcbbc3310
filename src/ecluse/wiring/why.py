"""Reads why a deployment failed: the record, and the product's history for the commits in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ecluse.delivery.cards import card
from ecluse.errors import EcluseError, NotFound
from ecluse.model.card import Card, Changed
from ecluse.model.deployment import Deployment
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.state import ProductState

MOST_COMMITS = 10
LOOK_BACK = 200
FAILED = frozenset({"restored", "failed", "cancelled"})


def read_card(product: OpenProduct, state: ProductState, deployment: Deployment) -> Card | None:
    """None for a deployment that has no cause on record."""
    if deployment.cause is None:
        return None
    records, environment = state.records, deployment.environment
    found = card(
        deployment,
        before=records.known_good(environment, at=deployment.number - 1),
        events=records.events(deployment.number),
        kept_out=records.quarantined(environment),
    )
    if found is None:
        return None
    return replace(found, changed=tuple(_with_commits(product, item) for item in found.changed))


def last_failed(state: ProductState, environment: EnvironmentName, number: int | None) -> Deployment:
    """The deployment of that number, or the last one that failed; NotFound when there is none."""
    if number is not None:
        found = state.records.deployment(number)
        if found.environment != environment:
            raise NotFound(
                f"deployment {number} is of {found.environment}",
                hint=f"ecluse why {found.environment} {number}",
            )
        return found
    for item in state.records.deployments(environment, limit=LOOK_BACK):
        if item.state in FAILED:
            return item
    raise NotFound(
        f"nothing failed in {environment}", hint=f"`ecluse history {environment}` lists what was done"
    )


def _with_commits(product: OpenProduct, changed: Changed) -> Changed:
    before, after = changed.commit
    if not before or not after or before == after:
        return changed
    return replace(changed, commits=_commits(product, changed.service, before, after))


def _commits(product: OpenProduct, service: ServiceName, before: str, after: str) -> tuple[str, ...]:
    """The commits of a service in between; none where its folder is in no repository that knows them."""
    from ecluse.config.git import find_git

    try:
        folder = Path("services") / service
        git = find_git(product.root)
        return git.between(before, after, str(folder), most=MOST_COMMITS) if git else ()
    except EcluseError:
        return ()
