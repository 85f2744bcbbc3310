"""What Docker leaves lying after it, or the whole machine, has come back. Pure.

Docker starts everything at once and in no order. A program that ends when something that it uses is not there yet is
started again by Docker; one that goes on, and is never well, is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.observed import BackingState, Observed, Replica

BOOT = timedelta(seconds=60)
"""What has begun so long ago is there; a program that began before that may have looked for it in vain."""
SETTLED = timedelta(seconds=5)
"""What has run so long can be used, as far as Docker tells."""


def never_started(inspected: Mapping[str, Any]) -> bool:
    """Should it always run, and could Docker not start it? One that somebody stopped has no error."""
    state = inspected["State"]
    return (
        state["Status"] == "exited"
        and inspected["HostConfig"]["RestartPolicy"]["Name"] == "always"
        and bool(state.get("Error"))
    )


def stranded(
    observed: Observed, applications: Mapping[ServiceName, Application], now: datetime
) -> Iterator[Replica]:
    """The replicas that are not well, began when something that they use was not there, and have it now. Starting one
    again makes it younger than what it uses, so that this ends."""
    for replica in observed.replicas:
        application = applications.get(replica.service)
        process = application.processes.get(replica.process) if application else None
        if application is None or process is None or replica.started is None:
            continue
        if replica.state != "unhealthy":
            continue
        had_its_time = now - replica.started > timedelta(seconds=process.probe.deadline)
        if had_its_time and _came_late(_needs(observed, application), replica.started, now):
            yield replica


def _needs(observed: Observed, application: Application) -> Iterator[datetime | None]:
    """Since when each thing is there that a service uses and that runs here; None for one that is not there now."""
    for name in application.uses:
        if members := observed.of(name):
            yield _first(item.started for item in members if item.state == "ready")
    for backing in observed.backing:
        if backing.name in application.backing:
            yield _since(backing)


def _came_late(needs: Iterable[datetime | None], began: datetime, now: datetime) -> bool:
    moments = list(needs)
    known = [item for item in moments if item is not None]
    if not known or len(known) < len(moments):
        return False
    latest = max(known)
    return latest > began - BOOT and now - latest > SETTLED


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((item for item in moments if item is not None), default=None)


def _since(backing: BackingState) -> datetime | None:
    return backing.started if backing.state == "ready" else None
