"""Which replicas get requests, and who may send any: told to the files of a gateway, then to the one that runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ecluse.engines.docker.gateway.gateway import Gateway
from ecluse.engines.docker.gateway.routing import (
    Callers,
    Routes,
    Server,
    asks_otherwise,
    backend_name,
    joined,
)
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.judgement import Tally
from ecluse.engines.docker.reach import Reach
from ecluse.model.names import ServiceName
from ecluse.model.workload import Box, Workload


class Traffic:
    """The traffic through one gateway."""

    def __init__(self, gateway: Gateway, reach: Reach) -> None:
        self._gateway = gateway
        self._reach = reach

    def server(self, backend: str, name: str) -> Server | None:
        return self._gateway.routes().server(backend, name)

    def asks_otherwise(self, workload: Workload) -> bool:
        """Will `admit` change how the replicas in traffic are checked?"""
        return workload.spec.port is not None and asks_otherwise(self._gateway.routes(), workload)

    async def tallies(self, backend: str) -> Mapping[str, Tally]:
        return await self._gateway.servers.tallies(backend)

    async def allow(self, network: Network, service: ServiceName, box: Box) -> None:
        """Lets a service call what it uses, from a container that is about to be made."""
        async with self._gateway.lock():
            routes, found = self._gateway.routes(), await self._reach.callers([])
            own = Callers.of(service, box.uses, box.outside or ())
            callers = routes.callers.joined(found).joined(own)
            await self._gateway.apply(network, replace(routes, callers=callers))

    async def admit(self, network: Network, workload: Workload, servers: Iterable[Server]) -> None:
        """Puts replicas into traffic. Those that are in already stay as they are."""
        async with self._gateway.lock():
            routes = joined(self._gateway.routes(), workload)
            name = backend_name(workload)
            for server in servers:
                if routes.backends[name].server(server.name) != server:
                    routes = routes.with_server(name, server)
            await self._gateway.apply(network, routes)

    async def drain(self, backend: str, names: Sequence[str], *, seconds: float) -> None:
        """No new requests for these replicas. Returns when those under way were answered, or after `seconds`;
        websockets may be left."""
        async with self._gateway.lock():
            routes = self._gateway.routes().at_rest(backend, names)
            self._gateway.folder.write(routes)
            await self._follow(routes, backend)
        await self._gateway.servers.wait_quiet(backend, names, seconds=seconds)

    async def _follow(self, routes: Routes, backend: str) -> None:
        servers = self._gateway.servers
        if backend in routes.backends and await self._gateway.proxy.answers():
            await servers.follow(routes.backends[backend], await servers.standings())

    async def tunnels(self, backend: str, names: Sequence[str]) -> int:
        """How many websockets these replicas have open."""
        return await self._gateway.servers.tunnels(backend, names)

    async def look_away(self, backend: str, names: Sequence[str]) -> None:
        """These replicas are about to be told to end: what they have open stays until they close it."""
        await self._gateway.servers.look_away(backend, names)

    async def dismiss(self, backend: str, names: Sequence[str]) -> None:
        """Takes replicas out. Whatever they still have open is closed."""
        async with self._gateway.lock():
            self._gateway.folder.write(self._gateway.routes().without_servers(backend, names))
            await self._gateway.servers.delete(backend, names)
