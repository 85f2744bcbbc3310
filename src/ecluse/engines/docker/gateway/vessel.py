"""The container that a gateway runs in: made, joined to its networks, started, made again for another image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ecluse.engines.docker import addresses, labels, payloads
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.admin import Admin
from ecluse.engines.docker.gateway.edge import Edge
from ecluse.engines.docker.gateway.folder import Folder
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.house import tag
from ecluse.engines.docker.https.certificates import Pair
from ecluse.engines.docker.keepsakes import KEY, Keepsakes
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.reach import Reach


class Vessel:
    """keepsake: what it keeps inside, for root alone."""

    def __init__(
        self,
        site: Site,
        *,
        folder: Folder,
        admin: Admin,
        containers: Containers,
        ground: Ground,
        edge: Edge,
        reach: Reach,
        keepsake: bytes,
        keepsakes: Keepsakes,
    ) -> None:
        self._site = site
        self._folder = folder
        self._admin = admin
        self._containers = containers
        self._ground = ground
        self._edge = edge
        self._reach = reach
        self._keepsake = keepsake
        self._keepsakes = keepsakes

    async def found(self) -> list[Container]:
        return await self._containers.find(self._site.marks, kind="gateway")

    async def keepsake(self) -> bytes | None:
        for item in await self.found():
            if kept := await self._containers.read(item.id, KEY):
                return kept
        return None

    async def leave_copies(self, hosts: Sequence[str], authority: Pair | None) -> None:
        """Of what the machine's folder holds of this gateway, and of the authority."""
        for item in await self.found():
            await self._keepsakes.leave_hosts(item.id, hosts)
            if authority is not None:
                await self._keepsakes.leave_authority(item.id, authority)

    async def run(self, network: Network) -> str:
        """Makes it run with the files that are there; gives its address on the edge's network."""
        for item in await self.found():
            if item.status == "created" or item.image != tag("haproxy"):
                await self._containers.remove(item.id)
                continue
            await self._reach.join_gateway(item.id)
            if not item.is_running:
                await self._start(item.id)
            elif not await self._admin.answers():
                # Docker starts it again after a crash, and brings it back with itself
                await self._wait_started(item.id)
            return item.labels[labels.EDGE_ADDRESS]
        return await self._create(network)

    async def remove(self) -> None:
        for item in await self.found():
            await self._containers.remove(item.id)

    async def _create(self, network: Network) -> str:
        async with self._edge.lock():
            edge_network = await self._edge.network()
            edge_address = await self._edge.free_address(edge_network)

            def choose(_: Sequence[Container], __: Network) -> tuple[str, payloads.Body]:
                return payloads.gateway(
                    self._site,
                    image=tag("haproxy"),
                    place=payloads.Place(
                        network.name, addresses.at(network.subnet, addresses.GATEWAY_OFFSET)
                    ),
                    edge_address=edge_address,
                    folder=str(self._folder.path),
                )

            identity, _name = await self._ground.settle(self._site, network, choose)
        if self._keepsake:
            await self._keepsakes.leave(identity, KEY, self._keepsake)
        await self._ground.join(edge_network, identity, edge_address)
        await self._reach.join_gateway(identity)
        await self._start(identity)
        return edge_address

    async def _start(self, identity: str) -> None:
        await self._containers.start(identity, name=self._site.gateway)
        await self._wait_started(identity)
        self._folder.mark_applied(self._folder.routes())

    async def _wait_started(self, identity: str) -> None:
        await self._admin.wait_started(partial(self._containers.last_lines, identity))
