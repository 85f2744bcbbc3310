"""What becomes of a deployment that waited: others may have changed what it is about since it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ecluse.delivery import rotation, versions
from ecluse.delivery.drift import drift
from ecluse.delivery.plan import make_plan
from ecluse.delivery.removal import removal_plan
from ecluse.delivery.surroundings import scope, within
from ecluse.model.application import Desired
from ecluse.model.backing import all_joined
from ecluse.model.cause import Cause
from ecluse.model.deployment import KnownGood
from ecluse.model.observed import Observed
from ecluse.model.plan import ALONE, WHOLE, DeploymentKind, Intent, Plan
from ecluse.ports import Engine, Records

PLANNED: frozenset[DeploymentKind] = frozenset({"deploy", "promote", "rollback", "down"})
"""Those whose plan comes from what is known good and what runs."""
_SINCE = "something else was deployed here since"


async def asked_again(intent: Intent, *, records: Records, engine: Engine) -> Intent | Cause:
    """What is to be done now for the same wish, or why it cannot be done any more. A plan that was reviewed is applied
    as it is, or not at all."""
    known = records.known_good(intent.target.environment)
    if intent.plan.kind == "run":
        return _with_passwords_of_now(intent, known)
    if (name := _outdated_passwords(intent, known)) is not None:
        sentence = f"the passwords of {name} were changed since this was asked for"
        return Cause("stale", name, sentence, hint="ask again: nothing was changed")
    if not _is_outdated(intent, known):
        return intent
    observed = await engine.observe(intent.target)
    again = _renewed(intent, known, observed, records)
    if impossible := tuple(_impossible(again, observed)):
        sentence = f"what was asked for cannot be done any more: {_SINCE}"
        return Cause("stale", "", sentence, impossible, hint="nothing was changed")
    if intent.is_reviewed and (stale := tuple(drift(intent.plan, again.plan))):
        sentence = f"the plan that was reviewed does not hold any more: {_SINCE}"
        return Cause("stale", "", sentence, stale, hint="make the plan again: nothing was changed")
    return again


def _with_passwords_of_now(intent: Intent, known: KnownGood) -> Intent:
    """A command runs the same release, with what is known good now."""
    fresh = {
        service: now
        for service, application in intent.applications.items()
        if (now := known.applications.get(service)) and now.release == application.release
    }
    return replace(intent, applications={**intent.applications, **fresh})


def _outdated_passwords(intent: Intent, known: KnownGood) -> str | None:
    if intent.plan.kind in ALONE or intent.plan.kind in WHOLE:
        return None
    return rotation.outdated(intent.plan, intent.backing, known.backing)


def _is_outdated(intent: Intent, known: KnownGood) -> bool:
    """Whether something that it would replace is not what it was when the plan was made."""
    if intent.plan.kind not in PLANNED:
        return False
    mine = known.applications if intent.plan.kind == "down" else within(known.applications, scope(intent))
    return mine != dict(intent.previous) or dict(known.backing) != dict(intent.previous_backing)


def _renewed(intent: Intent, known: KnownGood, observed: Observed, records: Records) -> Intent:
    """Planned on what is there now. What it did not mean to change stays as others made it."""
    intent = replace(intent, backing=all_joined(intent.backing, known.backing, intent.previous_backing))
    plan = _plan(intent, known, observed, records)
    mine = {*plan.services, *intent.applications}
    return replace(
        intent,
        plan=plan,
        previous=within(known.applications, mine),
        others={name: app for name, app in known.applications.items() if name not in mine},
        previous_backing=known.backing,
    )


def _impossible(intent: Intent, observed: Observed) -> Iterator[str]:
    """What the plan would do to data, and may not."""
    running = {item.name: item for item in observed.backing}
    return versions.refusals(running, intent.previous_backing, intent.backing)


def _plan(intent: Intent, known: KnownGood, observed: Observed, records: Records) -> Plan:
    environment = intent.target.environment
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
