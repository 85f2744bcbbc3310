"""The table of release tasks that ran in each environment; each call works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from ecluse.model.deployment import LedgerEntry
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.store.clock import moment
from ecluse.store.schema import ledger


def enter(connection: Connection, environment: EnvironmentName, entry: LedgerEntry) -> None:
    """The last outcome of a run counts."""
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
    if not connection.execute(update(ledger).filter_by(**identity).values(facts)).rowcount:
        connection.execute(insert(ledger).values(identity | facts))


def entries(connection: Connection, environment: EnvironmentName) -> Sequence[LedgerEntry]:
    """Those of an environment, oldest first."""
    query = select(ledger).where(ledger.c.environment == environment).order_by(ledger.c.at)
    return [
        LedgerEntry(
            service=ServiceName(row.service),
            task=row.task,
            key=row.key,
            deployment=row.deployment,
            at=moment(row.at),
            reversible=row.reversible,
            succeeded=row.succeeded,
        )
        for row in connection.execute(query)
    ]


def forget(connection: Connection, environment: EnvironmentName) -> None:
    connection.execute(delete(ledger).where(ledger.c.environment == environment))
