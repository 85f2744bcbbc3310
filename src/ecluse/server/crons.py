"""The runner's eye on the schedule: looks every few seconds, starts what is due, records what did not run.

What is decided is pure (delivery/crons.py); that it was decided is durable, so that a downtime is noticed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from ecluse.delivery import crons
from ecluse.delivery.crons import Known, Start
from ecluse.delivery.protection import backup_intent, scheduled
from ecluse.delivery.single import command_intent
from ecluse.model.application import BackingService, Target
from ecluse.model.cron import Mark
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import Intent
from ecluse.wiring.state import ProductState

EVERY = timedelta(seconds=5)
KEEP = timedelta(minutes=1)
"""Marks without news are made durable this often: a crash looks back further, at times that hold nothing."""

log = logging.getLogger("ecluse.runner")


class Crons:
    """The crons and the scheduled backups of every environment of one product."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._marks: tuple[Mark, ...] = tuple(state.schedule.marks())
        self._looked_at: datetime | None = None
        self._kept_at: datetime | None = None
        self._backing: Mapping[EnvironmentName, Mapping[str, BackingService]] = {}

    def look(self) -> None:
        """Looks at the schedule, when it is time to. What goes wrong is logged: deployments go on."""
        now = self._state.clock.now()
        # a clock that went back is a reason to look too
        if self._looked_at is not None and abs(now - self._looked_at) < EVERY:
            return
        self._looked_at = now
        try:
            self._look(now)
        except Exception:
            log.exception("the schedule could not be looked at")

    def _look(self, now: datetime) -> None:
        records = self._state.records
        good = {name: records.known_good(name) for name in records.environments()}
        known: Known = {name: item.applications for name, item in good.items()}
        self._backing = {name: item.backing for name, item in good.items()}
        backups = scheduled(self._backing)
        found = crons.look(known, self._marks, records.unfinished(), now, backups=backups)
        has_news = found.starts or found.omissions or _crons(found.marks) != _crons(self._marks)
        if has_news or self._kept_at is None or abs(now - self._kept_at) >= KEEP:
            starts = list(self._intents(found.starts, known))
            numbers = self._state.schedule.keep(found.marks, found.omissions, starts)
            for number, intent in zip(numbers, starts, strict=True):
                log.info("deployment %d is the cron %s", number, " ".join(intent.plan.commands))
            self._kept_at = now
        for omission in found.omissions:
            log.info("%s %s of %s: %s", omission.kind, omission.command, omission.environment, omission.why)
        self._marks = found.marks

    def _intents(self, starts: tuple[Start, ...], known: Known) -> Iterator[Intent]:
        for start in starts:
            target = self._state.target(start.environment)
            if target is None:
                continue
            if start.service == crons.BACKUP:
                yield self._backup(target, start)
            else:
                application = known[start.environment][start.service]
                key = f"{start.cron.name}-{int(start.due.timestamp())}"
                yield command_intent(target, application, start.cron.name, key=key, note=start.note)

    def _backup(self, target: Target, start: Start) -> Intent:
        service = self._backing[start.environment][start.cron.name]
        found = self._state.backups.list(start.environment, service.name)
        return backup_intent(target, service, found, self._state.clock.now(), note=start.note)


def _crons(marks: tuple[Mark, ...]) -> set[tuple[str, str, str, str]]:
    return {(mark.environment, mark.service, mark.cron, mark.rule) for mark in marks}
