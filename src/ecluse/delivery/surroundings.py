"""What stands around a deployment while it acts: read when it acts, since its neighbours do not stand still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ecluse.delivery import versions
from ecluse.delivery.plan import make_plan
from ecluse.delivery.removal import removal_plan
from ecluse.model.application import Application, Desired
from ecluse.model.backing import all_joined
from ecluse.model.deployment import Deployment
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import ALONE, DeploymentKind, Intent, Plan
from ecluse.ports import Records

PLANNED: frozenset[DeploymentKind] = frozenset({"deploy", "promote", "rollback", "down"})
"""Those whose plan comes from what is known good and what runs."""
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


def is_outdated(records: Records, deployment: Deployment) -> bool:
    """Whether something that this deployment would replace is not what it was when the plan was made."""
    intent = deployment.intent
    if intent.plan.kind not in PLANNED:
        return False
    known = records.known_good(deployment.environment)
    mine = known.applications if intent.plan.kind == "down" else _within(known.applications, scope(intent))
    return mine != dict(intent.previous) or dict(known.backing) != dict(intent.previous_backing)


def renewed(records: Records, intent: Intent, observed: Observed) -> Intent:
    """The same wish, planned on what is there now. What it did not mean to change stays as others made it."""
    environment = intent.target.environment
    known = records.known_good(environment)
    intent = replace(intent, backing=all_joined(intent.backing, known.backing, intent.previous_backing))
    plan = _plan(records, intent, observed)
    mine = {*plan.services, *intent.applications}
    return replace(
        intent,
        plan=plan,
        previous=_within(known.applications, mine),
        others={name: app for name, app in known.applications.items() if name not in mine},
        previous_backing=known.backing,
    )


def impossible(intent: Intent, observed: Observed) -> Iterator[str]:
    """What a plan that was made again would do to data, and may not."""
    running = {item.name: item for item in observed.backing}
    return versions.refusals(running, intent.previous_backing, intent.backing)


def _plan(records: Records, intent: Intent, observed: Observed) -> Plan:
    environment: EnvironmentName = intent.target.environment
    known = records.known_good(environment)
    if intent.plan.kind == "down":
        return removal_plan(environment, known, observed, volumes=intent.volumes)
    return make_plan(
        Desired(intent.target, intent.applications, intent.backing, intent.plan.revision, intent.plan.dirty),
        observed,
        known,
        records.ledger(environment),
        kind=intent.plan.kind,
        removed=set(intent.plan.services) - set(intent.applications),
        warnings=intent.plan.warnings,
        notes=intent.plan.notes,
    )


def _within(
    applications: Mapping[ServiceName, Application], names: set[ServiceName]
) -> dict[ServiceName, Application]:
    return {name: app for name, app in applications.items() if name in names}
