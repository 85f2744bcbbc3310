"""Reads how safe the data of an environment is. Acts on nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.delivery.crons import BACKUP
from ecluse.delivery.protection import cron_of
from ecluse.delivery.schedule import next_time
from ecluse.model.backup import Backup, Protection
from ecluse.model.deployment import Deployment
from ecluse.model.names import EnvironmentName
from ecluse.model.product import BackupRule
from ecluse.wiring.state import ProductState

_LOOKED_AT = 50


def read_protection(state: ProductState, environment: EnvironmentName) -> list[Protection]:
    """Each backing service that has a backup, or is on a schedule; by name."""
    backing = state.records.known_good(environment).backing
    found = [item for item in state.backups.list(environment) if not item.manifest.safety]
    rules = {name: item.backup for name, item in backing.items() if item.backup}
    recent = state.records.deployments(environment, limit=_LOOKED_AT) if rules or found else ()
    names = sorted({*rules, *(item.manifest.name for item in found)})
    return [
        _protection(
            state,
            environment,
            name,
            rules.get(name),
            [item for item in found if item.manifest.name == name],
            recent,
        )
        for name in names
    ]


def _protection(
    state: ProductState,
    environment: EnvironmentName,
    name: str,
    rule: BackupRule | None,
    found: Sequence[Backup],
    recent: Sequence[Deployment],
) -> Protection:
    newest = found[0] if found else None
    omissions = state.schedule.omissions(environment, command=f"{BACKUP}/{name}", limit=1) if rule else ()
    missed = next((item.due for item in omissions if newest is None or item.at > newest.manifest.begun), None)
    return Protection(
        name=name,
        newest=newest,
        tried=next((item for item in found if item.tried), None),
        next=next_time(cron_of(name, rule), state.clock.now()) if rule else None,
        failure=_failure(name, newest, recent),
        missed=missed,
    )


def _failure(name: str, newest: Backup | None, recent: Sequence[Deployment]) -> str | None:
    """Of the last attempt, where no backup came of it."""
    attempts = (
        item
        for item in recent
        if item.kind == "backup" and item.has_ended and f"{BACKUP}/{name}" in item.intent.plan.commands
    )
    last = next(attempts, None)
    if last is None or last.state == "succeeded" or (newest and newest.manifest.deployment >= last.number):
        return None
    return last.cause.sentence if last.cause else last.state
