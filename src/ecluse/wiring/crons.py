"""Reads the crons of an environment: as they are deployed, with what ran and what did not. Acts on nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ecluse.delivery.schedule import next_time
from ecluse.errors import NotFound, nearest
from ecluse.model.cron import CronRun, CronStatus
from ecluse.model.deployment import Deployment
from ecluse.model.event import Recorded
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Environment
from ecluse.model.service import Cron
from ecluse.wiring.state import ProductState

OMISSIONS = 3
RECENT = timedelta(days=7)
"""What did not run is told in the list for so long; of one cron, it is told as long as it is on record."""


def read_crons(state: ProductState, environment: Environment, *, runs: int = 1) -> list[CronStatus]:
    """Every cron of the services that the environment runs, by name, each with its last `runs`."""
    known = state.records.known_good(environment.name).applications
    since = state.clock.now() - RECENT
    return [
        _recent(_status(state, environment.name, service, known[service].crons[name], runs), since)
        for service in sorted(known)
        for name in sorted(known[service].crons)
    ]


def read_cron(state: ProductState, environment: Environment, command: str, *, runs: int) -> CronStatus:
    """The cron that `service/name` means."""
    known = state.records.known_good(environment.name).applications
    crons = {
        f"{service}/{cron.name}": (service, cron)
        for service, application in known.items()
        for cron in application.crons.values()
    }
    if command not in crons:
        hint = nearest(command, crons) or f"ecluse crons {environment.name} lists those that are deployed"
        raise NotFound(f"there is no cron {command!r} in {environment.name}", hint=hint)
    service, cron = crons[command]
    return _status(state, environment.name, service, cron, runs)


def read_output(state: ProductState, run: CronRun) -> Sequence[Recorded]:
    """What a run wrote, secrets masked, line by line."""
    return [item for item in state.records.events(run.deployment) if item.event.kind == "output"]


def _status(
    state: ProductState, environment: EnvironmentName, service: ServiceName, cron: Cron, runs: int
) -> CronStatus:
    command = f"{service}/{cron.name}"
    return CronStatus(
        environment=environment,
        service=service,
        cron=cron,
        next=next_time(cron, state.clock.now()) if cron.enabled else None,
        runs=tuple(_run(item) for item in state.records.runs(environment, command, limit=runs)),
        omissions=tuple(state.schedule.omissions(environment, command=command, limit=max(runs, OMISSIONS))),
    )


def _recent(status: CronStatus, since: datetime) -> CronStatus:
    return replace(status, omissions=tuple(item for item in status.omissions if item.at >= since))


def _run(deployment: Deployment) -> CronRun:
    return CronRun(
        deployment=deployment.number,
        state=deployment.state,
        requested_by=deployment.requested_by,
        requested_at=deployment.requested_at,
        seconds=deployment.seconds,
        note=deployment.intent.note,
        why=deployment.cause.sentence if deployment.cause else None,
    )
