"""Passwords of backing services in turn: what a rotation does, and who must not go on with an old one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ecluse.model.application import Application, BackingService
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change, Difference, Plan


def turned(
    before: Mapping[str, BackingService], after: Mapping[str, BackingService]
) -> Iterator[tuple[str, ServiceName]]:
    """Each backing service and client of which `after` has a later password."""
    for name, item in sorted(after.items()):
        for client in sorted(item.accounts):
            if name in before and item.turn(client) > before[name].turn(client):
                yield name, client


def first_changes(
    before: Mapping[str, BackingService], after: Mapping[str, BackingService], ids: Mapping[str, str]
) -> list[Change]:
    """New passwords beside the old ones. ids: the container of each backing service."""
    names = dict.fromkeys(name for name, _ in turned(before, after))
    return [
        Change(
            "rotate",
            name,
            part=name,
            differences=tuple(
                Difference(
                    f"password of {client}", before[name].accounts.get(client), after[name].accounts[client]
                )
                for other, client in turned(before, after)
                if other == name
            ),
            expects=(ids[name],),
            note="the new password counts beside the old one",
        )
        for name in names
    ]


def last_changes(
    before: Mapping[str, BackingService],
    after: Mapping[str, BackingService],
    applications: Mapping[ServiceName, Application],
) -> list[Change]:
    """Old passwords go, once nobody has them any more: no command of a client runs meanwhile."""
    found: dict[str, list[ServiceName]] = {}
    for name, client in turned(before, after):
        found.setdefault(name, []).append(client)
    return [
        Change(
            "revoke",
            name,
            part=name,
            key=" ".join(_commands(clients, applications)),
            note="the old password goes",
        )
        for name, clients in found.items()
    ]


def outdated(
    plan: Plan, backing: Mapping[str, BackingService], known: Mapping[str, BackingService]
) -> str | None:
    """The backing service of which a later password is known than the plan was made with, for one of its services."""
    return next((name for name, client in turned(backing, known) if client in plan.services), None)


def _commands(clients: list[ServiceName], applications: Mapping[ServiceName, Application]) -> Iterator[str]:
    for client in clients:
        application = applications.get(client)
        for part in (*application.tasks, *application.crons) if application else ():
            yield f"{client}/{part}"
