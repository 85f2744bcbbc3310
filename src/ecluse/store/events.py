"""The table of what happened in each deployment; each call works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, insert, literal, select

from ecluse.model.event import Event, Recorded
from ecluse.store import codec
from ecluse.store.clock import moment
from ecluse.store.schema import events


def add(connection: Connection, number: int, event: Event, *, at: float) -> None:
    """With the next number of its deployment."""
    mine = events.c.deployment == number
    following = select(func.coalesce(func.max(events.c.number), 0) + 1).where(mine)
    text = codec.dump(Event, event)
    row = select(literal(number), following.scalar_subquery(), literal(at), literal(text))
    connection.execute(insert(events).from_select(["deployment", "number", "at", "event"], row))


def listed(connection: Connection, number: int, *, after: int) -> Sequence[Recorded]:
    """Those of a deployment with a number above `after`, in their order."""
    wanted = (events.c.deployment == number) & (events.c.number > after)
    rows = connection.execute(select(events).where(wanted).order_by(events.c.number))
    return [
        Recorded(row.deployment, row.number, moment(row.at), codec.load(Event, row.event)) for row in rows
    ]


def forget(connection: Connection, numbers: Collection[int]) -> None:
    connection.execute(delete(events).where(events.c.deployment.in_(numbers)))
