"""Takes an environment off this machine: those that serve first, then what they stand on, the gateway last."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ecluse.engines.docker.environment import Environment
from ecluse.engines.docker.payloads import BACKING_GRACE_SECONDS
from ecluse.model.event import Event

_GRACES = {"replica": 10.0, "run": 5.0, "trial": 5.0, "backing": float(BACKING_GRACE_SECONDS)}


async def remove(environment: Environment, *, volumes: bool) -> AsyncIterator[Event]:
    machine, site = environment.machine, environment.site
    async for event in _remove_containers(environment):
        yield event
    for network in await machine.ground.of_services(site):
        await machine.ground.remove_network(network)
    home = await machine.ground.network(site)
    if home is not None:
        await machine.ground.remove_network(home)
    await machine.edge.forget_network()
    environment.backing.forget()
    for name in sorted(await environment.volumes.list()) if volumes else ():
        await environment.volumes.remove(name)
        yield Event("note", message=f"removed the volume {name}")


async def _remove_containers(environment: Environment) -> AsyncIterator[Event]:
    containers = environment.machine.containers
    listed = await containers.find(environment.site.marks)
    for kind, grace in _GRACES.items():
        doomed = [item for item in listed if item.kind == kind]
        await containers.stop_all(doomed, grace=grace)
        for item in doomed:
            await containers.remove(item.id)
            yield Event("note", item.subject, f"removed {item.name}")
    await environment.gateway.remove()
