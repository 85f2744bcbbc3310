"""Gathers the facts that guards judge: where the product is, on what it runs, which release is older than its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from ecluse.model.deployment import KnownGood, LedgerEntry
from ecluse.model.doubt import Doubt
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Circumstances
from ecluse.model.release import Release
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.state import ProductState


def circumstances(product: OpenProduct, engine: str) -> Circumstances:
    from ecluse.config.git import find_git

    git = find_git(product.root)
    return Circumstances(git.origin() if git else "", str(Path(product.root).resolve()), engine)


def older_than_data(
    product: OpenProduct, state: ProductState, environment: EnvironmentName,
    chosen: Mapping[ServiceName, Release], known: KnownGood,
) -> Iterator[Doubt]:  # fmt: skip
    """Releases that would come after a newer one whose irreversible task has changed the data."""
    ledger = [
        entry for entry in state.records.ledger(environment) if entry.succeeded and not entry.reversible
    ]
    for service, release in chosen.items():
        runs = known.applications.get(service)
        if runs is not None and runs.release.image_id == release.image_id:
            continue
        for entry in reversed([item for item in ledger if item.service == service]):
            if _is_older(product, state, environment, release, entry):
                yield Doubt(
                    "older-release",
                    f"{service} {release.version} is older than the release whose task {entry.task} changed the "
                    f"data in deployment {entry.deployment}, which cannot be undone",
                )
                break


def _is_older(
    product: OpenProduct, state: ProductState, environment: EnvironmentName, release: Release, entry: LedgerEntry
) -> bool:  # fmt: skip
    migrated = state.records.deployment(entry.deployment).intent.applications.get(entry.service)
    if migrated is None or migrated.release.content == release.content:
        return False
    made = _created(product, entry.service, migrated.release.image_id)
    if made is not None:
        return release.created < made
    # its image is gone: what ran before the task is older than it
    earlier = state.records.known_good(environment, at=entry.deployment - 1).applications.get(entry.service)
    return earlier is not None and earlier.release.content == release.content


def _created(product: OpenProduct, service: ServiceName, image_id: str) -> datetime | None:
    found = product.catalogue.find_image(service, image_id)
    return found.created if found else None
