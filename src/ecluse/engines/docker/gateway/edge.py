"""The edge: the one listener of this machine, which hands each public host to the gateway of its environment."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TypedDict

from ecluse.engines.docker import addresses, labels, payloads
from ecluse.engines.docker.client import ApiError
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.files import lock, private_folder, read, write_whole
from ecluse.engines.docker.gateway import edge_configuration, haproxy, runtime
from ecluse.engines.docker.gateway.admin import Admin
from ecluse.engines.docker.gateway.listening import Listening
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.house import House
from ecluse.engines.docker.keepsakes import Keepsakes
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.listeners import who_listens
from ecluse.engines.docker.refusals import is_port_taken
from ecluse.errors import EngineError
from ecluse.model.cause import RolloutFailed


class Member(TypedDict):
    """A gateway behind the edge: its address there, and its public hosts."""

    address: str
    hosts: list[str]


class Edge:
    """Made with the first public host of this machine, gone with its last environment."""

    def __init__(
        self,
        *,
        machine: Path,
        listening: Listening,
        containers: Containers,
        ground: Ground,
        house: House,
        keepsakes: Keepsakes,
    ) -> None:
        self._keepsakes = keepsakes
        self._folder = machine / "edge"
        self._id = labels.machine_id(machine)
        self._listening = listening
        self._containers = containers
        self._ground = ground
        self._house = house
        self._admin = Admin(self._folder, who=self.name)

    @property
    def name(self) -> str:
        return f"ecluse-edge-{self._id}" if self._id else "ecluse-edge"

    @property
    def _marks(self) -> dict[str, str]:
        return {labels.MACHINE: self._id, labels.KIND: "edge"}

    def lock(self) -> AbstractAsyncContextManager[None]:
        return lock(self._folder / "lock", what="changing the edge")

    async def network(self) -> Network:
        return await self._ground.ensure_network(self.name, self._marks, self._marks)

    async def free_address(self, network: Network) -> str:
        """For one more gateway; ask while holding the lock."""
        taken = {item.labels.get(labels.EDGE_ADDRESS, "") for item in await self._gateways()}
        return addresses.free_address(network.subnet, taken, addresses.EDGE_MEMBER_OFFSETS)

    async def is_lost(self, *, is_needed: bool) -> bool:
        """Does it run without files, so that it can be told nothing? Or not at all, where it is needed?"""
        if not await self.found():
            return is_needed
        return read(self._folder / "routes.json") is None or not self._is_mounted()

    def _is_mounted(self) -> bool:
        """Its socket is where we look for it: what it has mounted is the folder of now, not one that was removed."""
        return os.path.exists(self._folder / "admin.sock")

    async def publish(self, site: Site, address: str, hosts: Sequence[str]) -> bool:
        """Sends exactly `hosts` to the gateway at `address`, and tells whether the edge had to be made again for it;
        EngineError when another environment has one."""
        async with self.lock():
            is_lost = await self.is_lost(is_needed=False)
            routes = await self._routes()
            _refuse_twice(site.slug, hosts, routes)
            routes[site.slug] = {"address": address, "hosts": list(hosts)}
            self._write(routes)
            if any(facts["hosts"] for facts in routes.values()):
                await self._run()
                await self._follow()
        return is_lost

    async def withdraw(self, site: Site) -> None:
        """Forgets an environment; with the last one the edge goes."""
        if not self._folder.is_dir() and not await self.found():
            return
        async with self.lock():
            routes = await self._routes()
            routes.pop(site.slug, None)
            self._write(routes)
            left = [item for item in await self._gateways() if not item.is_of(site)]
            if not left:
                await self._remove()
            elif any(item.is_running for item in await self.found()):
                if not self._is_mounted():
                    await self._run()
                await self._follow()

    async def found(self) -> list[Container]:
        """The container, where there is one."""
        return await self._containers.find(self._marks)

    async def forget_network(self) -> None:
        """Removes the network, once no gateway is on it."""
        if await self._ground.find_network(self.name, self._marks) is None:
            return
        async with self.lock():
            network = await self._ground.find_network(self.name, self._marks)
            if network is not None and not await self._gateways():
                await self._ground.remove_network(network)

    async def _gateways(self) -> list[Container]:
        return await self._keepsakes.gateways()

    async def _routes(self) -> dict[str, Member]:
        """slug → address and hosts, of the environments whose gateway is there."""
        text = read(self._folder / "routes.json")
        known: dict[str, Member] = json.loads(text) if text else await self._recalled()
        there = {item.labels.get(labels.EDGE_ADDRESS) for item in await self._gateways()}
        return {slug: facts for slug, facts in known.items() if facts["address"] in there}

    async def _recalled(self) -> dict[str, Member]:
        """The same, as the gateways themselves know it."""
        return {
            item.slug: {
                "address": item.labels.get(labels.EDGE_ADDRESS, ""),
                "hosts": await self._keepsakes.hosts(item.id),
            }
            for item in await self._gateways()
        }

    def _write(self, routes: dict[str, Member]) -> None:
        private_folder(self._folder)
        table = {host: facts["address"] for facts in routes.values() for host in facts["hosts"]}
        write_whole(self._folder / "routes.json", json.dumps(routes, indent=1, sort_keys=True))
        write_whole(self._folder / "hosts.map", haproxy.mapping(table))
        text = edge_configuration.configuration(
            owner=(os.getuid(), os.getgid()), secure=self._listening.https != 0
        )
        write_whole(self._folder / "haproxy.cfg", text)

    async def _run(self) -> None:
        image = await self._house.ensure("haproxy")
        for item in await self.found():
            held = item.labels.get(labels.LISTEN, "")
            is_same = held == self._listening.label and item.image == image
            if is_same and item.is_running and self._is_mounted():
                # Docker starts it again after a crash, and brings it back with itself
                await self._wait_started(item.id)
                return
            self._refuse_taken(held)
            await self._containers.remove(item.id)
        network = await self.network()
        place = payloads.Place(network.name, addresses.at(network.subnet, addresses.EDGE_OFFSET))
        body = payloads.edge(
            machine=self._id,
            image=image,
            place=place,
            folder=str(self._folder),
            listening=self._listening,
        )
        await self._start(await self._containers.create(self.name, body))

    async def _start(self, identity: str) -> None:
        try:
            await self._containers.start(identity, name=self.name)
        except ApiError as error:
            # Docker leaves the container behind, created and never started
            await self._containers.remove(identity)
            if not is_port_taken(error.reason):
                raise
            raise self._taken(self._listening.refused(error.reason)) from error
        try:
            await self._wait_started(identity)
        except EngineError:
            await self._containers.remove(identity)
            raise

    async def _wait_started(self, identity: str) -> None:
        await self._admin.wait_started(partial(self._containers.last_lines, identity))

    def _refuse_taken(self, label: str) -> None:
        """Leaves the edge that runs alone when the one to come could not listen."""
        for port in self._listening.beyond(label):
            if _is_taken(self._listening.address, port):
                raise self._taken(port)

    def _taken(self, port: int) -> RolloutFailed:
        return RolloutFailed(self._listening.taken(port, who_listens(port)))

    async def _follow(self) -> None:
        wanted = dict(line.split() for line in (read(self._folder / "hosts.map") or "").splitlines())
        for command in runtime.map_commands("hosts.map", await self._admin.map("hosts.map"), wanted):
            await self._admin.tell(command)

    async def _remove(self) -> None:
        for item in await self.found():
            await self._containers.remove(item.id)
        for path in self._folder.iterdir():
            if path.name != "lock":
                path.unlink(missing_ok=True)


def _refuse_twice(slug: str, hosts: Sequence[str], routes: Mapping[str, Member]) -> None:
    """A host belongs to one environment."""
    for other, facts in routes.items():
        if other == slug:
            continue
        for host in set(hosts).intersection(facts["hosts"]):
            raise EngineError(
                f"the host {host} belongs to {other} already",
                hint="give one of the two environments another domain",
            )


def _is_taken(address: str, port: int) -> bool:
    """Would listening there fail? No, where only root may try."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
