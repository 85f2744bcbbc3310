"""What Docker and the gateway say of a replica, turned into its state. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecluse.engines.docker.endings import how_it_ended
from ecluse.engines.docker.gateway.runtime import Standing
from ecluse.engines.docker.labels import Container
from ecluse.model.names import ServiceName
from ecluse.model.observed import Replica, ReplicaState


def replica(item: Container, inspected: Mapping[str, Any], standing: Standing | None) -> Replica:
    """A replica as it is observed. `standing`: what the gateway thinks of it, None when it is not in traffic."""
    state, detail = _state(inspected, standing)
    has_ended = state in ("exited", "restarting")
    return Replica(
        id=item.id,
        name=item.name,
        service=ServiceName(item.service),
        process=item.process,
        box=item.box,
        version=item.labels.get("ecluse.version", ""),
        image_id=item.labels.get("ecluse.image", ""),
        state=state,
        address=item.address or None,
        started=moment(inspected["State"].get("StartedAt")),
        restarts=int(inspected.get("RestartCount") or 0),
        exit_code=int(inspected["State"]["ExitCode"]) if has_ended else None,
        detail=detail or (how_it_ended(inspected["State"]) if has_ended else None),
    )


def is_half_made(inspected: Mapping[str, Any]) -> bool:
    """Was it never ready? Only replicas that were get to restart by themselves."""
    return inspected["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")


def is_sound(inspected: Mapping[str, Any]) -> bool:
    """Runs, and was ready once."""
    return inspected["State"]["Status"] == "running" and not is_half_made(inspected)


def moment(text: str | None) -> datetime | None:
    """Docker's time, which has nanoseconds, and is in the year 1 when there is none."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", text))


def _state(inspected: Mapping[str, Any], standing: Standing | None) -> tuple[ReplicaState, str | None]:
    match inspected["State"]["Status"]:
        case "created":
            return "starting", "never started"
        case "restarting":
            return "restarting", None
        case "running" if is_half_made(inspected):
            return "starting", "not ready yet"
        case "running":
            return _in_traffic(standing)
        case "paused":
            return "unhealthy", "paused"
        case _:
            return "exited", None


def _in_traffic(standing: Standing | None) -> tuple[ReplicaState, str | None]:
    if standing is None or standing.status.startswith(("UP", "no check")):
        return "ready", None
    if standing.status.startswith(("DRAIN", "MAINT")):
        return "draining", None
    return "unhealthy", f"its probe fails: {standing.detail}"
