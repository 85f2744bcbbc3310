"""Backups that are made by themselves: their place in the schedule, and what one of them does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecluse.delivery.crons import BACKUP, Scheduled
from ecluse.delivery.retention import is_test_due
from ecluse.model.application import BackingService, Target
from ecluse.model.backup import Backup, BackupId, backup_stamp
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import Change, Intent, Plan
from ecluse.model.product import BackupRule
from ecluse.model.service import Cron


def scheduled(backing: Mapping[EnvironmentName, Mapping[str, BackingService]]) -> Iterator[Scheduled]:
    """Every backup that is on a schedule. One that was missed is made up for."""
    for environment, services in backing.items():
        for name, service in services.items():
            if service.backup is not None:
                yield environment, BACKUP, cron_of(name, service.backup)


def cron_of(name: str, rule: BackupRule) -> Cron:
    return Cron(name, rule.schedule, (), timezone=rule.timezone)


def backup_intent(
    target: Target,
    service: BackingService,
    found: Sequence[Backup],
    now: datetime,
    *,
    note: str | None = None,
) -> Intent:
    """A copy, a restore test of it when one is due, then those go that the rule does not keep."""
    rule = service.backup
    key = str(BackupId(target.environment, service.name, backup_stamp(now)))
    changes = [Change("dump", service.name, part=service.name, key=key)]
    if rule is not None:
        if is_test_due(found, rule, now):
            changes.append(Change("rehearse", service.name, part=service.name, key=key))
        changes.append(Change("prune", service.name, part=service.name, key=key))
    plan = Plan(target.environment, "backup", "", (), tuple(changes))
    return Intent(target, plan, {}, {}, backing={service.name: service}, note=note)
