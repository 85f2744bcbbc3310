"""Who can reach whom: each service has a network of its own, which only the gateway and the backing services that it
uses are on too. What it does not use has no way to it (Docker drops what goes from one network to another)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ecluse.engines.docker import addresses, labels, refusals
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.routing import Callers
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.outside import Outside
from ecluse.model.cause import RolloutFailed
from ecluse.model.workload import Box, Workload

_WITH_A_BOX = ("replica", "run")


class Reach:
    """The networks of one environment's services, and who is on them."""

    def __init__(self, site: Site, *, containers: Containers, ground: Ground) -> None:
        self._site = site
        self._containers = containers
        self._ground = ground

    async def network(self, service: str, box: Box) -> Network:
        """The network for such a box of a service; made where it is missing."""
        return await self._ground.ensure_of(self._site, service, closed=box.outside is not None)

    async def callers(self, workloads: Collection[Workload]) -> Callers:
        """Who may call what: as the workloads declare, and as those declared that still run."""
        networks = await self._ground.of_services(self._site)
        return callers(networks, await self._containers.find(self._site.marks), workloads)

    async def names(self, network: Network, box: Box, *, subject: str) -> dict[str, str]:
        """The names that a box can resolve: services at the gateway, backing services where they are. RolloutFailed
        when one of these has stopped; those that run elsewhere have no container, and need no name here."""
        gateway = addresses.at(network.subnet, addresses.GATEWAY_OFFSET)
        found = {str(name): gateway for name in box.uses}
        found |= {outside.host: gateway for outside in map(Outside.parse, box.outside or ())}
        home = await self._ground.existing(self._site)
        for item in await self._containers.find(self._site.marks, kind="backing"):
            name = item.backing
            if name in box.backing and not item.is_running:
                raise RolloutFailed(refusals.dependency_down(subject, name, item.status))
            if name in box.backing:
                found[name] = addresses.at(network.subnet, addresses.offset(home.subnet, item.address))
                await self._ground.join(network, item.id, found[name])
        return found

    async def join_clients(self, home: Network, item: Container, clients: Collection[str]) -> None:
        """Puts a backing service on the networks of these services, and of those that use it now."""
        found = await self._containers.find(self._site.marks)
        wanted = clients_of(found, []).get(item.backing, set()) | set(clients)
        joined = networks_of(await self._containers.inspect(item.id))
        place = addresses.offset(home.subnet, item.address)
        for network in await self._ground.of_services(self._site):
            if network.service in wanted and network.id not in joined:
                await self._ground.join(network, item.id, addresses.at(network.subnet, place))

    async def join_gateway(self, gateway: str) -> None:
        """Puts the gateway on the network of every service."""
        joined = networks_of(await self._containers.inspect(gateway))
        for network in await self._ground.of_services(self._site):
            if network.id not in joined:
                address = addresses.at(network.subnet, addresses.GATEWAY_OFFSET)
                await self._ground.join(network, gateway, address)

    async def tidy(self, home: Network, workloads: Sequence[Workload]) -> None:
        """Takes backing services off the networks of services that do not use them any more, and removes the networks
        of services that are gone."""
        found = await self._containers.find(self._site.marks)
        clients = clients_of(found, workloads)
        for item in found:
            if item.kind == "backing":
                wanted = clients.get(item.backing, set())
                await self.join_clients(home, item, wanted)
                await self._leave_others(item, wanted)
        needed = {(str(item.service), item.box.outside is not None) for item in workloads}
        for network in await self._ground.of_services(self._site):
            is_used = any(network.holds(item.address) for item in found if item.kind in _WITH_A_BOX)
            if not is_used and (network.service, network.is_closed) not in needed:
                await self.remove(network, found)

    async def _leave_others(self, item: Container, clients: Collection[str]) -> None:
        joined = networks_of(await self._containers.inspect(item.id))
        for network in await self._ground.of_services(self._site):
            if network.service not in clients and network.id in joined:
                await self._ground.leave(network.id, item.id)

    async def remove(self, network: Network, found: Sequence[Container]) -> None:
        for item in found:
            if item.kind in ("backing", "gateway"):
                await self._ground.leave(network.id, item.id)
        await self._ground.remove_idle(network)


def networks_of(inspected: Mapping[str, Any]) -> set[str]:
    """The ids of the networks that a container is on."""
    found = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return {str(item["NetworkID"]) for item in found.values()}


def clients_of(found: Iterable[Container], workloads: Iterable[Workload]) -> dict[str, set[str]]:
    """Backing service → the services that use it, by what is wanted and by what runs. Pure."""
    clients: dict[str, set[str]] = {}
    for workload in workloads:
        for name in workload.box.backing:
            clients.setdefault(name, set()).add(str(workload.service))
    for item in found:
        for name in item.uses_backing:
            clients.setdefault(name, set()).add(item.service)
    return clients


def callers(
    networks: Iterable[Network], containers: Iterable[Container], workloads: Collection[Workload]
) -> Callers:
    """Pure. A container of an earlier version of Écluse is known by its address in the network that all shared."""
    boxed = [item for item in containers if item.kind in _WITH_A_BOX]
    sources = {str(network.subnet): network.service for network in networks}
    sources |= {
        item.address: item.service for item in boxed if labels.USES not in item.labels and item.address
    }
    found = Callers(sources)
    for item in workloads:
        found = found.joined(Callers.of(item.service, item.box.uses, item.box.outside or ()))
    for running in boxed:
        found = found.joined(Callers.of(running.service, running.uses, running.outside))
    return found
