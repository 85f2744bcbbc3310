"""The status of environments for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ecluse.cli.backups_view import is_unsafe, protection
from ecluse.cli.output import INTERRUPTED, ago, moment, paint, show, table
from ecluse.model.observed import Replica
from ecluse.model.status import EnvironmentStatus, ServiceStatus

CERTIFICATE_SOON = timedelta(days=30)


def show_status(found: Iterable[EnvironmentStatus]) -> None:
    for index, status in enumerate(found):
        if index:
            show()
        _show(status)


def _show(status: EnvironmentStatus) -> None:
    if not status.exists and not status.services:
        show(f"{status.environment}: nothing runs here")
        _show_pending(status)
        return
    show(paint(f"{status.environment}", "cyan", err=False))
    rows = [_row(service) for service in status.services]
    rows += [(item.name, f"{item.kind} {item.version}", item.state, "", "") for item in status.backing]
    table(("service", "version", "replicas", "since", "address"), rows)
    for service in status.services:
        for replica in service.replicas:
            if replica.state != "ready":
                detail = f": {replica.detail}" if replica.detail else ""
                again = f", started again {replica.restarts} times" if replica.restarts else ""
                show(f"  {replica.name} is {replica.state}{detail}{again}", colour="red")
        if service.external:
            show(f"  {service.service} uses {', '.join(service.external)}")
    for item in status.protection:
        show(f"  {item.name}: {protection(item)}", colour="red" if is_unsafe(item) else None)
    _show_certificate(status.certificate, datetime.now(UTC))
    if status.certificate_problem:
        show(f"  {status.certificate_problem}", colour="red")
    _show_what_is_astray(status)
    _show_pending(status)


def _show_what_is_astray(status: EnvironmentStatus) -> None:
    unknown = [service for service in status.services if service.deployment is None and service.replicas]
    if unknown and not status.pending:
        told = f"some of it is not on record: `ecluse adopt {status.environment}` takes it over as it is"
        show(f"  {told}", colour="yellow")
    for name in status.lost:
        show(f"  the {name} lost its files: the next deployment makes it again", colour="red")
    for name in status.outdated:
        show(
            f"  the {name} runs an older image than it would be made from now: the next deployment replaces it"
        )


def _show_certificate(expires: datetime | None, now: datetime) -> None:
    if expires is None or expires - now >= CERTIFICATE_SOON:
        return
    days = (expires - now).days
    when = f"expires in {days} days" if expires > now else "has expired"
    show(f"  the certificate {when}, on {expires:%Y-%m-%d}", colour="red")


def _show_pending(status: EnvironmentStatus) -> None:
    for item in status.pending:
        waits = f", waits for deployment {item.waits_for}" if item.waits_for else ""
        since = f"asked by {item.requested_by} at {moment(item.requested_at)}"
        show(f"  deployment {item.number} ({item.kind}) is {item.state}, {since}{waits}")
    if status.interrupted:
        show(INTERRUPTED)


def _row(service: ServiceStatus) -> tuple[object, ...]:
    since = max((replica.started for replica in service.replicas if replica.started), default=None)
    return (service.service, service.version, _counts(service), ago(since), service.url)


def _counts(service: ServiceStatus) -> str:
    """`web 2/2, worker 1/1`: ready out of wanted."""
    names = sorted({*service.wanted, *(replica.process for replica in service.replicas)})
    return ", ".join(
        f"{name} {_ready(service.replicas, name)}/{service.wanted.get(name, 0)}" for name in names
    )


def _ready(replicas: Iterable[Replica], process: str) -> int:
    return sum(1 for replica in replicas if replica.process == process and replica.state == "ready")
