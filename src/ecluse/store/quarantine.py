"""The table of releases that are kept out of an environment; each call works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.quarantine import Quarantined
from ecluse.store.schema import quarantine


def add(connection: Connection, environment: EnvironmentName, entry: Quarantined) -> None:
    if entries(connection, environment, entry.service, entry.content):
        return
    row = {
        "environment": environment,
        "service": entry.service,
        "content": entry.content,
        "version": entry.version,
        "reason": entry.reason,
        "deployment": entry.deployment,
        "at": entry.at.timestamp(),
    }
    connection.execute(insert(quarantine).values(row))


def entries(
    connection: Connection,
    environment: EnvironmentName,
    service: ServiceName | None = None,
    content: str | None = None,
) -> Sequence[Quarantined]:
    """Those of an environment, oldest first."""
    query = select(quarantine).where(quarantine.c.environment == environment).order_by(quarantine.c.at)
    if service is not None:
        query = query.where(quarantine.c.service == service)
    if content is not None:
        query = query.where(quarantine.c.content == content)
    return [
        Quarantined(
            ServiceName(row.service),
            row.content,
            row.version,
            row.reason,
            row.deployment,
            datetime.fromtimestamp(row.at, UTC),
        )
        for row in connection.execute(query)
    ]


def lift(
    connection: Connection, environment: EnvironmentName, service: ServiceName, *, content: str | None = None
) -> Sequence[Quarantined]:
    """Removes the entries of a service, or of one content; gives them."""
    found = entries(connection, environment, service, content)
    for entry in found:
        connection.execute(
            delete(quarantine).filter_by(environment=environment, service=service, content=entry.content)
        )
    return found
