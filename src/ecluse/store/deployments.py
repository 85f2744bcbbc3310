"""The table of deployments, which is the queue and the history; each call works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import cast

from sqlalchemy import (
    Connection,
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
from ecluse.model.cause import Cause
from ecluse.model.deployment import ENDED, Deployment, DeploymentState, Pending
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import ALONE, DeploymentKind, Intent
from ecluse.store import codec, events
from ecluse.store.clock import moment
from ecluse.store.schema import deployments

_PENDING = ("number", "environment", "kind", "state", "requested_by", "requested_at", "commands", "claims")
_AT_ONCE = 500


def add(connection: Connection, intent: Intent, *, by: str, at: float) -> int:
    """A queued one; gives its number."""
    key = connection.execute(insert(deployments).values(_row(intent, by=by, at=at))).inserted_primary_key
    assert key is not None
    return int(key[0])


def add_alone(connection: Connection, intent: Intent, *, by: str, at: float) -> int | None:
    """None while an unfinished one of the environment runs one of its commands. One statement, so that two who ask at
    once cannot both see that it is free."""
    row = _row(intent, by=by, at=at)
    values = select(*[literal(value, deployments.c[name].type) for name, value in row.items()])
    free = values.where(~_unfinished_with(intent.target.environment, intent.plan.commands).exists())
    adding = insert(deployments).from_select(list(row), free).returning(deployments.c.number)
    return connection.execute(adding).scalar_one_or_none()


def read(connection: Connection, number: int) -> Deployment:
    """NotFound when there is none of that number."""
    row = connection.execute(select(deployments).where(deployments.c.number == number)).one_or_none()
    if row is None:
        raise NotFound(f"there is no deployment {number}", hint="`ecluse history ENV` lists them")
    return _deployment(row)


def history(
    connection: Connection, environment: EnvironmentName | None, *, limit: int | None, runs: bool
) -> Sequence[Deployment]:
    """Newest first; without `runs`, none of the commands that ran on their own."""
    query = select(deployments).order_by(deployments.c.number.desc()).limit(limit)
    if environment is not None:
        query = query.where(deployments.c.environment == environment)
    if not runs:
        query = query.where(deployments.c.kind.not_in(ALONE))
    return [_deployment(row) for row in connection.execute(query)]


def runs(
    connection: Connection, environment: EnvironmentName, command: str, *, limit: int
) -> Sequence[Deployment]:
    """The times that `service/task` ran on its own, newest first."""
    mine = (deployments.c.environment == environment) & (deployments.c.commands == _words([command]))
    query = select(deployments).where(mine & (deployments.c.kind == "run"))
    rows = connection.execute(query.order_by(deployments.c.number.desc()).limit(limit))
    return [_deployment(row) for row in rows]


def unfinished(connection: Connection) -> Sequence[Pending]:
    """Queued and running ones, oldest first."""
    columns = [deployments.c[name] for name in _PENDING]
    query = select(*columns).where(deployments.c.state.not_in(ENDED)).order_by(deployments.c.number)
    return [_pending(row) for row in connection.execute(query).mappings()]


def begin(connection: Connection, number: int, *, at: float) -> bool:
    """Whether it waited until now."""
    waiting = (deployments.c.number == number) & (deployments.c.state == "queued")
    started = update(deployments).where(waiting).values(state="running", started_at=at)
    return bool(connection.execute(started).rowcount)


def replan(connection: Connection, number: int, intent: Intent) -> None:
    connection.execute(update(deployments).where(deployments.c.number == number).values(_planned(intent)))


def end(
    connection: Connection, number: int, state: DeploymentState, cause: Cause | None, *, at: float
) -> bool:
    """Whether it was open until now."""
    is_open = (deployments.c.number == number) & deployments.c.state.not_in(ENDED)
    told = codec.dump(Cause, cause) if cause else None
    ended = update(deployments).where(is_open).values(state=state, ended_at=at, cause=told)
    return bool(connection.execute(ended).rowcount)


def request_cancel(connection: Connection, number: int) -> None:
    connection.execute(
        update(deployments).where(deployments.c.number == number).values(cancel_requested=True)
    )


def is_cancel_requested(connection: Connection, number: int) -> bool:
    query = select(deployments.c.cancel_requested).where(deployments.c.number == number)
    return bool(connection.execute(query).scalar())


def thin(connection: Connection, keep: int) -> int:
    """Forgets commands that ran on their own and ended, but for the newest `keep` of each; gives how many."""
    rank = func.row_number().over(
        partition_by=(deployments.c.environment, deployments.c.kind, deployments.c.commands),
        order_by=deployments.c.number.desc(),
    )
    alone = deployments.c.kind.in_(ALONE) & deployments.c.state.in_(ENDED)
    ranked = select(deployments.c.number, rank.label("rank")).where(alone).subquery()
    old = connection.execute(select(ranked.c.number).where(ranked.c.rank > keep)).scalars().all()
    for part in _parts(old):
        events.forget(connection, part)
        connection.execute(delete(deployments).where(deployments.c.number.in_(part)))
    return len(old)


def _parts(numbers: Sequence[int]) -> Iterator[Collection[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]


def _row(intent: Intent, *, by: str, at: float) -> dict[str, object]:
    return {
        "environment": intent.target.environment,
        "kind": intent.plan.kind,
        "state": "queued",
        "requested_by": by,
        "requested_at": at,
        "cancel_requested": False,
        **_planned(intent),
    }


def _planned(intent: Intent) -> dict[str, object]:
    return {
        "intent": codec.dump(Intent, intent),
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
        requested_at=moment(row["requested_at"]),
        commands=tuple(row["commands"].split()),
        claims=tuple(row["claims"].split()),
    )


def _deployment(row: Row[tuple[object, ...]]) -> Deployment:
    return Deployment(
        number=row.number,
        environment=EnvironmentName(row.environment),
        kind=cast(DeploymentKind, row.kind),
        state=cast(DeploymentState, row.state),
        requested_by=row.requested_by,
        requested_at=moment(row.requested_at),
        intent=codec.load(Intent, row.intent),
        started_at=moment(row.started_at) if row.started_at else None,
        ended_at=moment(row.ended_at) if row.ended_at else None,
        cause=codec.load(Cause, row.cause) if row.cause else None,
    )
