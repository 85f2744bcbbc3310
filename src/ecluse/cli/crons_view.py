"""The crons of an environment for people, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ecluse.cli.output import moment, show, table

if TYPE_CHECKING:
    from ecluse.model.cron import CronRun, CronStatus, Omission
    from ecluse.model.event import Recorded

_MINUTE = "%Y-%m-%d %H:%M"


def show_crons(found: Sequence[CronStatus]) -> None:
    headings = ("cron", "schedule", "zone", "next", "last run", "when", "took", "no")
    table(headings, [_row(status) for status in found])
    for status in found:
        show_omissions(status)


def show_cron(status: CronStatus) -> None:
    """One cron with its last runs."""
    cron = status.cron
    show(f"{status.command} in {status.environment}: {cron.schedule} {cron.timezone}")
    show(f"  next: {_next(status)}")
    if cron.enabled and cron.reason:
        show(f"  differs here: {cron.reason}")
    show(
        f"  when a run has not ended: {cron.overlap}; missed times: {cron.missed}; ends after {cron.timeout:g} s"
    )
    show_omissions(status)
    rows = [
        (run.deployment, moment(run.requested_at), run.state, _took(run), run.requested_by, _why(run))
        for run in status.runs
    ]
    table(("no", "when", "state", "took", "by", "why"), rows)


def show_omissions(status: CronStatus) -> None:
    for omission in status.omissions:
        zone = ZoneInfo(status.cron.timezone)
        since = f"{omission.since.astimezone(zone):{_MINUTE}} to " if omission.since else ""
        due = f"{since}{omission.due.astimezone(zone):{_MINUTE}} {status.cron.timezone}"
        show(f"  {status.command} {omission.kind} {due}: {omission.why}", colour="yellow")


def show_output(run: CronRun, lines: Sequence[Recorded]) -> None:
    """What one run wrote, under a line that says which run it was."""
    took = f" in {_took(run)}" if run.seconds is not None else ""
    show(f"deployment {run.deployment}, {moment(run.requested_at)}, by {run.requested_by}: {run.state}{took}")
    for line in lines:
        show(f"  {line.at.astimezone():%H:%M:%S} | {line.event.message}")
    if run.why:
        show(f"  {run.why}", colour="red")


def cron_facts(status: CronStatus) -> dict[str, object]:
    """What `--json` tells of a cron."""
    cron = status.cron
    zone = ZoneInfo(cron.timezone)
    return {
        "environment": status.environment,
        "service": status.service,
        "name": cron.name,
        "schedule": cron.schedule,
        "timezone": cron.timezone,
        "enabled": cron.enabled,
        "reason": cron.reason,
        "overlap": cron.overlap,
        "missed": cron.missed,
        "timeout": cron.timeout,
        "next": status.next,
        "next_in_zone": status.next.astimezone(zone) if status.next else None,
        "runs": status.runs,
        "omissions": status.omissions,
    }


def omission_facts(omission: Omission) -> dict[str, object]:
    """A time without a run, beside deployments: it has no number."""
    return {
        "number": None,
        "environment": omission.environment,
        "kind": "run",
        "state": omission.kind,
        "commands": [omission.command],
        "requested_by": "schedule",
        "requested_at": omission.at,
        "due": omission.due,
        "since": omission.since,
        "note": omission.why,
    }


def _row(status: CronStatus) -> tuple[object, ...]:
    cron = status.cron
    head = (status.command, cron.schedule, cron.timezone, _next(status))
    if not status.runs:
        return (*head, "never", "", "", "")
    run = status.runs[0]
    return (*head, run.state, moment(run.requested_at), _took(run), run.deployment)


def _next(status: CronStatus) -> str:
    """In the cron's zone, and by the clock of who reads where that is another."""
    if not status.cron.enabled:
        return f"off: {status.cron.reason or 'switched off in service.yaml'}"
    if status.next is None:
        return "never"
    there, here = status.next.astimezone(ZoneInfo(status.cron.timezone)), status.next.astimezone()
    text = there.strftime(_MINUTE)
    return text if there.utcoffset() == here.utcoffset() else f"{text} ({_clock(here, there)} here)"


def _clock(here: datetime, there: datetime) -> str:
    return here.strftime("%H:%M" if here.date() == there.date() else _MINUTE)


def _took(run: CronRun) -> str:
    return f"{run.seconds:.0f} s" if run.seconds is not None else ""


def _why(run: CronRun) -> str:
    return run.why or run.note or ""
