"""Makes a gateway run with exactly the routes that are wanted, whatever it did before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from ecluse.engines.docker import health
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.edge import Edge
from ecluse.engines.docker.gateway.gateway import Gateway
from ecluse.engines.docker.gateway.renewal import Renewal
from ecluse.engines.docker.gateway.routing import Entrance, Routes, recovered, routed
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.house import House, tag
from ecluse.engines.docker.https.authority import own_certificate
from ecluse.engines.docker.labels import Site
from ecluse.engines.docker.outside import Outside
from ecluse.engines.docker.reach import Reach
from ecluse.errors import EngineError
from ecluse.model.event import Event
from ecluse.model.workload import Workload


class Preparation:
    """The preparation of one environment's gateway."""

    def __init__(
        self,
        site: Site,
        gateway: Gateway,
        *,
        entrance: Entrance,
        containers: Containers,
        house: House,
        edge: Edge,
        reach: Reach,
    ) -> None:
        self._site = site
        self._gateway = gateway
        self._entrance = entrance
        self._containers = containers
        self._house = house
        self._edge = edge
        self._reach = reach

    def refuse(self, workloads: Sequence[Workload]) -> None:
        """EngineError when `execute` could not do what it is asked; nothing was changed then."""
        _refuse_twice(workloads)
        for workload in workloads:
            for url in workload.box.outside or ():
                Outside.parse(url)
        tls = self._site.target.tls
        if tls.mode == "files" and self._entrance.is_secure:
            own_certificate(tls, sorted(item.host.lower() for item in workloads if item.host))

    async def execute(self, network: Network, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        """Servers that are in traffic stay."""
        async for event in self._find_image():
            yield event
        renewal = Renewal(self._gateway)
        async with self._gateway.lock():
            before, shown = self._gateway.routes(), self._gateway.certification.shown()
            if not self._gateway.folder.has_routes:
                if await self._gateway.vessel.found():
                    yield Event(
                        "gateway",
                        message="its files are gone: making the gateway again, a moment without answers",
                    )
                before = await self._recovered(workloads)
            routes = await self._wanted(workloads, before)
            self._gateway.folder.note_edge(str((await self._edge.network()).subnet))
            address = await self._gateway.apply(network, routes)
        if replace(routes, callers=before.callers) != before:
            yield Event("gateway", message=_tell(routes))
        async for event in renewal.told(shown):
            yield event
        hosts = sorted(routes.hosts)
        if await self._edge.publish(self._site, address, hosts):
            yield Event(
                "gateway", message="the files of the edge were gone: made it again, a moment without answers"
            )
        await self._gateway.vessel.leave_copies(hosts, self._gateway.authority.pair())
        async for event in renewal.issue():
            yield event

    async def _find_image(self) -> AsyncIterator[Event]:
        if not await self._house.has("haproxy"):
            yield Event("gateway", message="building the image of the gateway")
        await self._house.ensure("haproxy")
        found = await self._gateway.vessel.found()
        if any(item.is_running and item.image != tag("haproxy") for item in found):
            yield Event(
                "gateway", message="replacing the gateway by one of today's image: a moment without answers"
            )

    async def _recovered(self, workloads: Sequence[Workload]) -> Routes:
        """Without its files a gateway cannot be told anything: it goes, and what ran stays in traffic."""
        await self._gateway.vessel.remove()
        listed = await self._containers.find(self._site.marks, kind="replica")
        sound = [item for item, seen in await self._containers.inspect_all(listed) if health.is_sound(seen)]
        return recovered(workloads, sound)

    async def _wanted(self, workloads: Sequence[Workload], before: Routes) -> Routes:
        routes = routed(workloads, await self._living(before))
        return replace(routes, entrance=self._entrance, callers=await self._reach.callers(workloads))

    async def _living(self, routes: Routes) -> Routes:
        """Without servers whose container is gone, removed by hand for example."""
        there = {item.name for item in await self._containers.find(self._site.marks, kind="replica")}
        for name, backend in routes.backends.items():
            routes = routes.without_servers(
                name, [item.name for item in backend.servers if item.name not in there]
            )
        return routes


def _refuse_twice(workloads: Sequence[Workload]) -> None:
    """Two processes cannot have the same public name."""
    owners: dict[str, str] = {}
    for workload in workloads:
        if workload.host is None:
            continue
        owner = owners.setdefault(workload.host.lower(), workload.subject)
        if owner != workload.subject:
            raise EngineError(
                f"{workload.host} is the public name of both {owner} and {workload.subject}",
                hint="give one of them another `expose: {host: …}`",
            )


def _tell(routes: Routes) -> str:
    hosts = ", ".join(sorted(routes.hosts)) or "no public name"
    return f"the gateway knows {len(routes.names)} services; public: {hosts}"
