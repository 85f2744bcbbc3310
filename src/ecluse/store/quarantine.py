"""The table of releases that are kept out of an environment; each call works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, delete, insert, select

from ecluse.model.application import ReleaseId
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.quarantine import Quarantined
from ecluse.store.clock import moment
from ecluse.store.schema import quarantine


def add(connection: Connection, environment: EnvironmentName, entry: Quarantined) -> None:
    row = {
        "environment": environment,
        "service": entry.service,
        "content": entry.content,
        "form": entry.form,
        "configuration": entry.configuration,
        "version": entry.version,
        "reason": entry.reason,
        "deployment": entry.deployment,
        "at": entry.at.timestamp(),
    }
    connection.execute(insert(quarantine).prefix_with("OR IGNORE").values(row))


def entries(
    connection: Connection, environment: EnvironmentName, service: ServiceName | None = None
) -> Sequence[Quarantined]:
    """Those of an environment, oldest first."""
    query = select(quarantine).where(quarantine.c.environment == environment).order_by(quarantine.c.at)
    if service is not None:
        query = query.where(quarantine.c.service == service)
    return [_entry(row) for row in connection.execute(query)]


def lift(
    connection: Connection,
    environment: EnvironmentName,
    service: ServiceName,
    *,
    release: ReleaseId | None = None,
) -> Sequence[Quarantined]:
    """Removes the entries of a service, or of one release; gives them."""
    found = [
        entry
        for entry in entries(connection, environment, service)
        if release is None or entry.is_of(release)
    ]
    for entry in found:
        connection.execute(
            delete(quarantine).filter_by(
                environment=environment,
                service=service,
                content=entry.content,
                form=entry.form,
                configuration=entry.configuration,
            )
        )
    return found


def _entry(row: Row[tuple[object, ...]]) -> Quarantined:
    return Quarantined(
        ServiceName(row.service),
        row.content,
        row.version,
        row.reason,
        row.deployment,
        moment(row.at),
        row.form,
        row.configuration,
    )
