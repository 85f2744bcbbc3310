"""How replicas go: no new requests, then what is under way is answered, then they are stopped and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from ecluse.engines.docker.client import ApiError
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.routing import backend_name
from ecluse.engines.docker.gateway.traffic import Traffic
from ecluse.engines.docker.labels import Container
from ecluse.model.event import Event
from ecluse.model.service import Process

USUAL_GRACE_SECONDS = 10.0


async def depart(
    containers: Containers, traffic: Traffic, leaving: Sequence[Container], spec: Process
) -> AsyncIterator[Event]:
    """Takes replicas of one process out of traffic, stops and removes them.

    Programs with open websockets are told to end while these still pass, so that they can say goodbye.
    """
    if not leaving:
        return
    backend, names = backend_name(leaving[0]), [item.name for item in leaving]
    await traffic.drain(backend, names, seconds=spec.drain)
    if await traffic.tunnels(backend, names):
        await traffic.look_away(backend, names)
        await containers.stop_all(leaving, grace=spec.websockets.grace)
    await traffic.dismiss(backend, names)
    await asyncio.gather(*(_end(containers, item) for item in leaving))
    for item in leaving:
        yield Event("replica.stopped", item.subject, replica=item.name)


async def _end(containers: Containers, item: Container) -> None:
    try:
        inspected = await containers.inspect(item.id)
    except ApiError as error:
        if error.status != 404:
            raise
        return
    await containers.end(item.id, grace=float(inspected["Config"].get("StopTimeout") or USUAL_GRACE_SECONDS))
