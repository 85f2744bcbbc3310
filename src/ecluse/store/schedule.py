"""What the runner remembers of the schedule, in SQL: implements ports.Schedule, on the tables of the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import Connection, Engine, Row, delete, insert, select

from ecluse.model.cron import Mark, Omission, OmissionKind
from ecluse.model.lease import Lease
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent
from ecluse.ports import Clock
from ecluse.store import deployments
from ecluse.store.access import reading, writing
from ecluse.store.clock import SystemClock, moment
from ecluse.store.schema import cron_marks, cron_omissions

BY = "schedule"
KEPT = 200
"""Omissions that are kept of each cron: one that is skipped every minute fills no disk."""


class SqlSchedule:
    """Implements ports.Schedule on a database that `open_database` gave."""

    def __init__(self, engine: Engine, clock: Clock | None = None, lease: Lease | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._lease = lease

    def under(self, lease: Lease) -> SqlSchedule:
        return SqlSchedule(self._engine, self._clock, lease)

    def marks(self) -> Sequence[Mark]:
        with reading(self._engine) as connection:
            return [_mark(row) for row in connection.execute(select(cron_marks))]

    def keep(
        self, marks: Sequence[Mark], omissions: Sequence[Omission] = (), starts: Sequence[Intent] = ()
    ) -> Sequence[int]:
        now = self._clock.now().timestamp()
        with writing(self._engine, self._lease) as connection:
            connection.execute(delete(cron_marks))
            if marks:
                connection.execute(insert(cron_marks), [_mark_row(mark) for mark in marks])
            _add_omissions(connection, omissions)
            return [deployments.add(connection, intent, by=BY, at=now) for intent in starts]

    def omissions(
        self, environment: EnvironmentName, *, command: str | None = None, limit: int
    ) -> Sequence[Omission]:
        query = select(cron_omissions).where(cron_omissions.c.environment == environment)
        if command is not None:
            service, _, cron = command.partition("/")
            query = query.where((cron_omissions.c.service == service) & (cron_omissions.c.cron == cron))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(cron_omissions.c.number.desc()).limit(limit))
            return [_omission(row) for row in rows]


def _add_omissions(connection: Connection, omissions: Iterable[Omission]) -> None:
    for omission in omissions:
        connection.execute(insert(cron_omissions).values(_omission_row(omission)))
        _forget_old(connection, omission)


def _forget_old(connection: Connection, omission: Omission) -> None:
    mine = (
        (cron_omissions.c.environment == omission.environment)
        & (cron_omissions.c.service == omission.service)
        & (cron_omissions.c.cron == omission.cron)
    )
    order = select(cron_omissions.c.number).where(mine).order_by(cron_omissions.c.number.desc())
    oldest = order.offset(KEPT).limit(1).scalar_subquery()
    connection.execute(delete(cron_omissions).where(mine & (cron_omissions.c.number <= oldest)))


def _mark_row(mark: Mark) -> dict[str, object]:
    return {
        "environment": mark.environment,
        "service": mark.service,
        "cron": mark.cron,
        "rule": mark.rule,
        "looked_at": mark.looked_at.timestamp(),
    }


def _mark(row: Row[tuple[object, ...]]) -> Mark:
    return Mark(
        EnvironmentName(row.environment), ServiceName(row.service), row.cron, row.rule, moment(row.looked_at)
    )


def _omission_row(omission: Omission) -> dict[str, object]:
    return {
        "environment": omission.environment,
        "service": omission.service,
        "cron": omission.cron,
        "kind": omission.kind,
        "due": omission.due.timestamp(),
        "since": omission.since.timestamp() if omission.since else None,
        "at": omission.at.timestamp(),
        "why": omission.why,
    }


def _omission(row: Row[tuple[object, ...]]) -> Omission:
    return Omission(
        environment=EnvironmentName(row.environment),
        service=ServiceName(row.service),
        cron=row.cron,
        kind=cast(OmissionKind, row.kind),
        due=moment(row.due),
        at=moment(row.at),
        why=row.why,
        since=moment(row.since) if row.since is not None else None,
    )
