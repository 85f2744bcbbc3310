"""The record of a product in SQL: implements ports.Records. Says what is one transaction, and which of them are made
under the lease of a runner (store/access.py); the tables are in files of their own. Knows no engine and no file of the
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import cast

from sqlalchemy import Connection, Engine

from ecluse.model.application import BackingService
from ecluse.model.cause import Cause
from ecluse.model.deployment import Deployment, DeploymentState, KnownGood, LedgerEntry, Pending
from ecluse.model.event import Event, EventKind, Recorded
from ecluse.model.lease import Lease
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent
from ecluse.model.quarantine import Quarantined
from ecluse.ports import Clock
from ecluse.store import deployments, events, known_good, ledger, quarantine
from ecluse.store.access import Watch, reading, writing
from ecluse.store.clock import SystemClock


class SqlRecords:
    """Implements ports.Records on a database that `open_database` gave."""

    def __init__(self, engine: Engine, clock: Clock | None = None, lease: Lease | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._lease = lease
        self._watch = Watch(engine)

    def under(self, lease: Lease) -> SqlRecords:
        return SqlRecords(self._engine, self._clock, lease)

    def stamp(self) -> int:
        return self._watch.stamp()

    def enqueue(self, intent: Intent, *, by: str) -> int:
        with writing(self._engine) as connection:
            return deployments.add(connection, intent, by=by, at=self._now())

    def enqueue_alone(self, intent: Intent, *, by: str) -> int | None:
        with writing(self._engine) as connection:
            return deployments.add_alone(connection, intent, by=by, at=self._now())

    def deployment(self, number: int) -> Deployment:
        with reading(self._engine) as connection:
            return deployments.read(connection, number)

    def deployments(
        self, environment: EnvironmentName | None = None, *, limit: int | None = None, runs: bool = True
    ) -> Sequence[Deployment]:
        with reading(self._engine) as connection:
            return deployments.history(connection, environment, limit=limit, runs=runs)

    def runs(self, environment: EnvironmentName, command: str, *, limit: int) -> Sequence[Deployment]:
        with reading(self._engine) as connection:
            return deployments.runs(connection, environment, command, limit=limit)

    def thin(self, keep: int) -> int:
        with self._writing() as connection:
            return deployments.thin(connection, keep)

    def unfinished(self) -> Sequence[Pending]:
        with reading(self._engine) as connection:
            return deployments.unfinished(connection)

    def begin(self, number: int) -> None:
        with self._writing() as connection:
            if deployments.begin(connection, number, at=self._now()):
                self._add(connection, number, Event("deployment.started"))

    def replan(self, number: int, intent: Intent) -> None:
        with self._writing() as connection:
            deployments.replan(connection, number, intent)

    def end(self, number: int, state: DeploymentState, cause: Cause | None = None) -> None:
        kind = cast(EventKind, f"deployment.{state}")
        event = Event(kind, cause.subject if cause else "", cause.sentence if cause else "")
        with self._writing() as connection:
            if not deployments.end(connection, number, state, cause, at=self._now()):
                return
            self._add(connection, number, event)
            if state == "succeeded":
                known_good.remember(connection, deployments.read(connection, number))

    def keep(self, number: int, backing: BackingService) -> None:
        with self._writing() as connection:
            kept = known_good.keep(connection, deployments.read(connection, number), backing)
            if kept is not None:
                self._add(connection, number, _kept(*kept))

    def request_cancel(self, number: int) -> None:
        with writing(self._engine) as connection:
            deployments.request_cancel(connection, number)

    def is_cancel_requested(self, number: int) -> bool:
        with reading(self._engine) as connection:
            return deployments.is_cancel_requested(connection, number)

    def append(self, number: int, event: Event) -> None:
        with self._writing() as connection:
            self._add(connection, number, event)

    def events(self, number: int, *, after: int = 0) -> Sequence[Recorded]:
        with reading(self._engine) as connection:
            return events.listed(connection, number, after=after)

    def known_good(self, environment: EnvironmentName, *, at: int | None = None) -> KnownGood:
        with reading(self._engine) as connection:
            return known_good.read(connection, environment, at)

    def environments(self) -> Sequence[EnvironmentName]:
        with reading(self._engine) as connection:
            return known_good.inhabited(connection)

    def ledger(self, environment: EnvironmentName) -> Sequence[LedgerEntry]:
        with reading(self._engine) as connection:
            return ledger.entries(connection, environment)

    def enter(self, environment: EnvironmentName, entry: LedgerEntry) -> None:
        with self._writing() as connection:
            ledger.enter(connection, environment, entry)

    def quarantine(self, environment: EnvironmentName, entry: Quarantined) -> None:
        with self._writing() as connection:
            quarantine.add(connection, environment, entry)

    def quarantined(self, environment: EnvironmentName) -> Sequence[Quarantined]:
        with reading(self._engine) as connection:
            return quarantine.entries(connection, environment)

    def lift(self, environment: EnvironmentName, service: ServiceName) -> Sequence[Quarantined]:
        with writing(self._engine) as connection:
            return quarantine.lift(connection, environment, service)

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing(self._engine, self._lease)

    def _add(self, connection: Connection, number: int, event: Event) -> None:
        events.add(connection, number, event, at=self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _kept(before: BackingService | None, now: BackingService) -> Event:
    data: dict[str, str | int | float | bool] = {"kind": now.kind, "version": now.version}
    if before is not None:
        data["before"] = f"{before.kind} {before.version}"
    message = f"{now.kind} {now.version}, whatever becomes of this deployment"
    return Event("backing.kept", now.name, message, data=data)
