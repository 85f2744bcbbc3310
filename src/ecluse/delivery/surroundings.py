"""What stands around a deployment while it acts: read when it acts, since its neighbours do not stand still."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.plan import ALONE, Intent
from ecluse.ports import Records

Neighbours = tuple[Mapping[ServiceName, Application], ...]


def neighbours(records: Records, number: int, intent: Intent) -> Neighbours:
    """The services that this deployment leaves alone: as they are known good, then, of those that other deployments
    have in hand, as they were and as they will be. The later ones count where they speak of the same."""
    mine = scope(intent)
    environment = intent.target.environment
    found = [records.known_good(environment).applications]
    for item in records.unfinished():
        is_near = item.environment == environment and item.state == "running" and item.number != number
        if is_near and item.kind not in ALONE:
            other = records.deployment(item.number).intent
            found += [other.previous, other.applications]
    return tuple({name: app for name, app in apps.items() if name not in mine} for apps in found)


def scope(intent: Intent) -> set[ServiceName]:
    return {*intent.plan.services, *intent.applications}


def within(
    applications: Mapping[ServiceName, Application], names: Collection[ServiceName]
) -> dict[ServiceName, Application]:
    return {name: app for name, app in applications.items() if name in names}
