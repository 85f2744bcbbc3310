"""What is known good in each environment: its services, and what stands behind them. Each call works within the
caller's transaction.

What stands behind is written step by step: of two deployments that go on side by side, the one that was asked for
first may end last.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from ecluse.model.application import Application, BackingService
from ecluse.model.backing import joined
from ecluse.model.deployment import Deployment, KnownGood
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import ALONE, Circumstances, Intent
from ecluse.store import codec, ledger, quarantine
from ecluse.store.schema import environments, known_good

Backings = dict[str, BackingService]


def read(connection: Connection, environment: str, at: int | None = None) -> KnownGood:
    """Now, or just after deployment `at`."""
    found = _applications(connection, environment, at)
    query = select(environments).where(environments.c.environment == environment)
    if at is not None:
        query = query.where(environments.c.deployment <= at)
    row = connection.execute(query.order_by(environments.c.step.desc()).limit(1)).one_or_none()
    circumstances = row.circumstances if row is not None else ""
    return KnownGood(
        applications={name: application for name, (application, _) in found.items()},
        deployments={name: number for name, (_, number) in found.items()},
        backing=codec.load(Backings, row.backing) if row is not None else {},
        revision=(row.revision or None) if row is not None else None,
        circumstances=codec.load(Circumstances, circumstances) if circumstances else Circumstances(),
    )


def inhabited(connection: Connection) -> list[EnvironmentName]:
    """The environments in which a service is known good."""
    query = select(known_good.c.environment).distinct().order_by(known_good.c.environment)
    names = connection.execute(query).scalars().all()
    return [EnvironmentName(name) for name in names if _applications(connection, name, None)]


def remember(connection: Connection, done: Deployment) -> None:
    """What a successful deployment brought becomes known good; what it removed stops being so.

    With the volumes, what the release tasks did is gone too: they must run again.
    """
    intent = done.intent
    if done.kind in ALONE or done.kind == "restore":
        return
    if intent.volumes:
        ledger.forget(connection, done.environment)
    rows = [
        {
            "environment": done.environment,
            "service": service,
            "deployment": done.number,
            "application": _text(intent.applications.get(service)),
        }
        for service in {*intent.applications, *intent.plan.services}
    ]
    if rows:
        connection.execute(insert(known_good), rows)
    for service, application in intent.applications.items():
        quarantine.lift(connection, done.environment, service, release=application.release)
    good = read(connection, done.environment)
    behind = {} if done.kind == "down" else _behind(intent, good)
    now = replace(good, backing=behind, revision=intent.plan.revision, circumstances=intent.circumstances)
    _write(connection, done, now)


def keep(
    connection: Connection, doing: Deployment, backing: BackingService
) -> tuple[BackingService | None, BackingService] | None:
    """One backing service becomes known good as it is now, and nothing else does. Gives what was known of it before
    and what is now; None where it was known just so."""
    good = read(connection, doing.environment)
    there = good.backing.get(backing.name)
    now = joined(backing, there, doing.intent.previous_backing.get(backing.name))
    if now == there:
        return None
    _write(connection, doing, replace(good, backing={**good.backing, backing.name: now}))
    return there, now


def _behind(intent: Intent, good: KnownGood) -> Backings:
    """What stands behind the environment now: that of this deployment, and what its neighbours brought meanwhile."""
    used = {name for application in good.applications.values() for name in application.backing}
    found = {name: there for name, there in good.backing.items() if name in used}
    for name, mine in intent.backing.items():
        there = good.backing.get(name)
        whole = joined(mine, there, intent.previous_backing.get(name))
        clients = {*mine.accounts, *good.applications}
        accounts = {client: text for client, text in whole.accounts.items() if client in clients}
        found[name] = replace(whole, accounts=accounts)
    return found


def _write(connection: Connection, deployment: Deployment, good: KnownGood) -> None:
    row = {
        "environment": deployment.environment,
        "deployment": deployment.number,
        "revision": good.revision or "",
        "backing": codec.dump(Backings, dict(good.backing)),
        "circumstances": codec.dump(Circumstances, good.circumstances),
    }
    connection.execute(insert(environments).values(row))


def _applications(
    connection: Connection, environment: str, at: int | None
) -> dict[ServiceName, tuple[Application, int]]:
    """Each with the deployment that brought it."""
    mine = known_good.c.environment == environment
    newest = select(known_good.c.service, func.max(known_good.c.deployment).label("deployment")).where(mine)
    if at is not None:
        newest = newest.where(known_good.c.deployment <= at)
    latest = newest.group_by(known_good.c.service).subquery()
    is_latest = (known_good.c.service == latest.c.service) & (known_good.c.deployment == latest.c.deployment)
    rows = connection.execute(select(known_good).join(latest, mine & is_latest))
    return {
        ServiceName(row.service): (codec.load(Application, row.application), row.deployment)
        for row in rows
        if row.application is not None
    }


def _text(application: Application | None) -> str | None:
    return None if application is None else codec.dump(Application, application)
