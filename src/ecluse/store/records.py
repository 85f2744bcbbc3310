"""The record of a product in SQL: implements ports.Records. Knows no engine and no file of the product.

What becomes of a deployment is written under the lease of a runner, where there is one (store/access.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from ecluse.errors import NotFound
from ecluse.model.application import BackingService
from ecluse.model.cause import Cause
from ecluse.model.deployment import ENDED, Deployment, DeploymentState, KnownGood, LedgerEntry, Pending
from ecluse.model.event import Event, EventKind, Recorded
from ecluse.model.lease import Lease
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import ALONE, DeploymentKind, Intent
from ecluse.model.quarantine import Quarantined
from ecluse.ports import Clock
from ecluse.store import codec, known_good, quarantine
from ecluse.store.access import Watch, reading, writing
from ecluse.store.schema import deployments, events, ledger

_PENDING = ("number", "environment", "kind", "state", "requested_by", "requested_at", "commands", "claims")


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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
            return add_deployment(connection, intent, by=by, at=self._now())

    def enqueue_alone(self, intent: Intent, *, by: str) -> int | None:
        row = _row(intent, by=by, at=self._now())
        values = select(*[literal(value, deployments.c[name].type) for name, value in row.items()])
        free = values.where(~_unfinished_with(intent.target.environment, intent.plan.commands).exists())
        with writing(self._engine) as connection:
            # one statement, so that two who ask at once cannot both see that it is free
            add = insert(deployments).from_select(list(row), free).returning(deployments.c.number)
            return connection.execute(add).scalar_one_or_none()

    def deployment(self, number: int) -> Deployment:
        with reading(self._engine) as connection:
            return _read(connection, number)

    def deployments(
        self, environment: EnvironmentName | None = None, *, limit: int | None = None, runs: bool = True
    ) -> Sequence[Deployment]:
        query = select(deployments).order_by(deployments.c.number.desc())
        if environment is not None:
            query = query.where(deployments.c.environment == environment)
        if not runs:
            query = query.where(deployments.c.kind.not_in(ALONE))
        return self._deployments(query.limit(limit) if limit else query)

    def runs(self, environment: EnvironmentName, command: str, *, limit: int) -> Sequence[Deployment]:
        query = select(deployments).order_by(deployments.c.number.desc()).limit(limit)
        mine = (deployments.c.environment == environment) & (deployments.c.commands == _words([command]))
        return self._deployments(query.where(mine & (deployments.c.kind == "run")))

    def thin(self, keep: int) -> int:
        rank = func.row_number().over(
            partition_by=(deployments.c.environment, deployments.c.kind, deployments.c.commands),
            order_by=deployments.c.number.desc(),
        )
        alone = deployments.c.kind.in_(ALONE) & deployments.c.state.in_(ENDED)
        ranked = select(deployments.c.number, rank.label("rank")).where(alone).subquery()
        with self._writing() as connection:
            query = select(ranked.c.number).where(ranked.c.rank > keep)
            old = connection.execute(query).scalars().all()
            for start in range(0, len(old), 500):
                part = old[start : start + 500]
                connection.execute(delete(events).where(events.c.deployment.in_(part)))
                connection.execute(delete(deployments).where(deployments.c.number.in_(part)))
        return len(old)

    def unfinished(self) -> Sequence[Pending]:
        columns = [deployments.c[name] for name in _PENDING]
        query = select(*columns).where(deployments.c.state.not_in(ENDED)).order_by(deployments.c.number)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [_pending(row) for row in rows]

    def begin(self, number: int) -> None:
        waiting = (deployments.c.number == number) & (deployments.c.state == "queued")
        started = update(deployments).where(waiting).values(state="running", started_at=self._now())
        with self._writing() as connection:
            if connection.execute(started).rowcount:
                self._add(connection, number, Event("deployment.started"))

    def replan(self, number: int, intent: Intent) -> None:
        values = {
            "intent": codec.dump(Intent, intent),
            "commands": _words(intent.plan.commands),
            "claims": _words(intent.plan.claims),
        }
        with self._writing() as connection:
            connection.execute(update(deployments).where(deployments.c.number == number).values(values))

    def end(self, number: int, state: DeploymentState, cause: Cause | None = None) -> None:
        open_still = (deployments.c.number == number) & deployments.c.state.not_in(ENDED)
        values = {
            "state": state,
            "ended_at": self._now(),
            "cause": codec.dump(Cause, cause) if cause else None,
        }
        kind = cast(EventKind, f"deployment.{state}")
        event = Event(kind, cause.subject if cause else "", cause.sentence if cause else "")
        with self._writing() as connection:
            if not connection.execute(update(deployments).where(open_still).values(values)).rowcount:
                return
            self._add(connection, number, event)
            if state == "succeeded":
                known_good.remember(connection, _read(connection, number))

    def keep(self, number: int, backing: BackingService) -> None:
        with self._writing() as connection:
            kept = known_good.keep(connection, _read(connection, number), backing)
            if kept is not None:
                self._add(connection, number, _kept(*kept))

    def request_cancel(self, number: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(deployments).where(deployments.c.number == number).values(cancel_requested=True)
            )

    def is_cancel_requested(self, number: int) -> bool:
        query = select(deployments.c.cancel_requested).where(deployments.c.number == number)
        with reading(self._engine) as connection:
            return bool(connection.execute(query).scalar())

    def append(self, number: int, event: Event) -> None:
        with self._writing() as connection:
            self._add(connection, number, event)

    def events(self, number: int, *, after: int = 0) -> Sequence[Recorded]:
        query = (
            select(events)
            .where((events.c.deployment == number) & (events.c.number > after))
            .order_by(events.c.number)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Recorded(row.deployment, row.number, _time(row.at), codec.load(Event, row.event)) for row in rows
        ]

    def known_good(self, environment: EnvironmentName, *, at: int | None = None) -> KnownGood:
        with reading(self._engine) as connection:
            return known_good.read(connection, environment, at)

    def environments(self) -> Sequence[EnvironmentName]:
        with reading(self._engine) as connection:
            return known_good.inhabited(connection)

    def ledger(self, environment: EnvironmentName) -> Sequence[LedgerEntry]:
        query = select(ledger).where(ledger.c.environment == environment).order_by(ledger.c.at)
        with reading(self._engine) as connection:
            return [_entry(row) for row in connection.execute(query)]

    def enter(self, environment: EnvironmentName, entry: LedgerEntry) -> None:
        identity = {
            "environment": environment,
            "service": entry.service,
            "task": entry.task,
            "key": entry.key,
        }
        facts = {
            "deployment": entry.deployment,
            "at": entry.at.timestamp(),
            "reversible": entry.reversible,
            "succeeded": entry.succeeded,
        }
        with self._writing() as connection:
            changed = connection.execute(update(ledger).filter_by(**identity).values(facts)).rowcount
            if not changed:
                connection.execute(insert(ledger).values(identity | facts))

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing(self._engine, self._lease)

    def _add(self, connection: Connection, number: int, event: Event) -> None:
        mine = events.c.deployment == number
        following = select(func.coalesce(func.max(events.c.number), 0) + 1).where(mine)
        text = codec.dump(Event, event)
        row = select(literal(number), following.scalar_subquery(), literal(self._now()), literal(text))
        connection.execute(insert(events).from_select(["deployment", "number", "at", "event"], row))

    def quarantine(self, environment: EnvironmentName, entry: Quarantined) -> None:
        with self._writing() as connection:
            quarantine.add(connection, environment, entry)

    def quarantined(self, environment: EnvironmentName) -> Sequence[Quarantined]:
        with reading(self._engine) as connection:
            return quarantine.entries(connection, environment)

    def lift(self, environment: EnvironmentName, service: ServiceName) -> Sequence[Quarantined]:
        with writing(self._engine) as connection:
            return quarantine.lift(connection, environment, service)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _deployments(self, query: Select[tuple[object, ...]]) -> Sequence[Deployment]:
        with reading(self._engine) as connection:
            return [_deployment(row) for row in connection.execute(query)]


def add_deployment(connection: Connection, intent: Intent, *, by: str, at: float) -> int:
    """Adds a queued deployment within a transaction; gives its number."""
    key = connection.execute(insert(deployments).values(_row(intent, by=by, at=at))).inserted_primary_key
    assert key is not None
    return int(key[0])


def _row(intent: Intent, *, by: str, at: float) -> dict[str, object]:
    return {
        "environment": intent.target.environment,
        "kind": intent.plan.kind,
        "state": "queued",
        "requested_by": by,
        "requested_at": at,
        "intent": codec.dump(Intent, intent),
        "cancel_requested": False,
        "commands": _words(intent.plan.commands),
        "claims": _words(intent.plan.claims),
    }


def _words(names: Iterable[str]) -> str:
    """With a space on both sides of each name, so that one can be looked for."""
    text = " ".join(names)
    return f" {text} " if text else ""


def _unfinished_with(environment: str, commands: Iterable[str]) -> Select[tuple[int]]:
    others = deployments.alias()
    shared = or_(*[others.c.commands.contains(_words([name]), autoescape=True) for name in commands])
    here = (others.c.environment == environment) & others.c.state.not_in(ENDED)
    return select(others.c.number).where(here & shared)


def _pending(row: RowMapping) -> Pending:
    return Pending(
        number=row["number"],
        environment=EnvironmentName(row["environment"]),
        kind=row["kind"],
        state=row["state"],
        requested_by=row["requested_by"],
        requested_at=_time(row["requested_at"]),
        commands=tuple(row["commands"].split()),
        claims=tuple(row["claims"].split()),
    )


def _kept(before: BackingService | None, now: BackingService) -> Event:
    data = {"kind": now.kind, "version": now.version}
    if before is not None:
        data["before"] = f"{before.kind} {before.version}"
    return Event(
        "backing.kept",
        now.name,
        f"{now.kind} {now.version}, whatever becomes of this deployment",
        data=data,
    )


def _read(connection: Connection, number: int) -> Deployment:
    row = connection.execute(select(deployments).where(deployments.c.number == number)).one_or_none()
    if row is None:
        raise NotFound(f"there is no deployment {number}", hint="`ecluse history ENV` lists them")
    return _deployment(row)


def _deployment(row: Row[tuple[object, ...]]) -> Deployment:
    return Deployment(
        number=row.number,
        environment=EnvironmentName(row.environment),
        kind=cast(DeploymentKind, row.kind),
        state=cast(DeploymentState, row.state),
        requested_by=row.requested_by,
        requested_at=_time(row.requested_at),
        intent=codec.load(Intent, row.intent),
        started_at=_time(row.started_at) if row.started_at else None,
        ended_at=_time(row.ended_at) if row.ended_at else None,
        cause=codec.load(Cause, row.cause) if row.cause else None,
    )


def _entry(row: Row[tuple[object, ...]]) -> LedgerEntry:
    return LedgerEntry(
        service=ServiceName(row.service),
        task=row.task,
        key=row.key,
        deployment=row.deployment,
        at=_time(row.at),
        reversible=row.reversible,
        succeeded=row.succeeded,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
