"""The gateway of an environment: one HAProxy whose files say what it should do, kept in step while it runs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ecluse.engines.docker import addresses, certificates, haproxy, health, labels, payloads, runtime
from ecluse.engines.docker.admin import Admin
from ecluse.engines.docker.authority import Authority, own_certificate
from ecluse.engines.docker.certification import Certification
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.edge import Edge
from ecluse.engines.docker.files import lock, private_folder, read, write_whole
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.house import House, tag
from ecluse.engines.docker.judgement import Tally
from ecluse.engines.docker.keepsakes import KEY, Keepsakes
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.outside import Outside
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.routing import (
    Backend,
    Callers,
    Entrance,
    Routes,
    Server,
    asks_otherwise,
    backend_name,
    joined,
    recovered,
    routed,
)
from ecluse.engines.docker.runtime import Standing
from ecluse.errors import EngineError
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.workload import Box, Workload

_POLL_SECONDS = 0.05
_DELETE_SECONDS = 5.0


class Gateway:
    """One environment's gateway. The files are the truth; every method brings the running process to them."""

    def __init__(
        self,
        site: Site,
        *,
        state: Path,
        machine: Path,
        client: Client,
        containers: Containers,
        ground: Ground,
        house: House,
        edge: Edge,
        authority: Authority,
        reach: Reach,
        keepsake: bytes,
        keepsakes: Keepsakes,
    ) -> None:
        self._site = site
        self._folder = state / "gateway" / str(site.target.environment)
        self._client = client
        self._containers = containers
        self._ground = ground
        self._house = house
        self._edge = edge
        self._reach = reach
        self._keepsake = keepsake
        self._keepsakes = keepsakes
        self._authority = authority
        self._certification = Certification(self._folder, site.target, machine=machine, authority=authority)
        self._admin = Admin(self._folder, who=site.gateway)

    def is_without_files(self) -> bool:
        return read(self._folder / "routes.json") is None

    def routes(self) -> Routes:
        """What the gateway should do by its file."""
        text = read(self._folder / "routes.json")
        return Routes.load(text) if text else Routes()

    def asks_otherwise(self, workload: Workload) -> bool:
        """Will `admit` change how the replicas in traffic are checked?"""
        return workload.spec.port is not None and asks_otherwise(self.routes(), workload)

    def certificate_expiry(self) -> datetime | None:
        """Until when the certificate is valid that the gateway shows."""
        return self._certification.expiry() if self.routes().is_secure else None

    def certificate_problem(self) -> str | None:
        """Why there is no newer one, where an ACME server was asked in vain."""
        return self._certification.problem() if self.routes().is_secure else None

    def refuse(self, workloads: Sequence[Workload]) -> None:
        """EngineError when `prepare` could not do what it is asked; nothing was changed then."""
        _refuse_twice(workloads)
        for workload in workloads:
            for url in workload.box.outside or ():
                Outside.parse(url)
        tls = self._site.target.tls
        if tls.mode == "files" and self._edge.ports[1]:
            own_certificate(tls, sorted(item.host.lower() for item in workloads if item.host))

    async def prepare(self, network: Network, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        """Makes the gateway run with exactly the routes of `workloads`; servers in traffic stay."""
        if not await self._house.has("haproxy"):
            yield Event("gateway", message="building the image of the gateway")
        await self._house.ensure("haproxy")
        self.refuse(workloads)
        if any(item.is_running and item.image != tag("haproxy") for item in await self._found()):
            yield Event(
                "gateway", message="replacing the gateway by one of today's image: a moment without answers"
            )
        async with self._lock():
            before, shown = self.routes(), self._certification.shown()
            if self.is_without_files() and await self._found():
                yield Event(
                    "gateway",
                    message="its files are gone: making the gateway again, a moment without answers",
                )
                before = await self._recovered(workloads)
            entrance = Entrance(*self._edge.ports, self._site.target.tls)
            routes = routed(workloads, await self._living(before))
            routes = replace(routes, entrance=entrance, callers=await self._reach.callers(workloads))
            write_whole(self._folder / "edge-subnet", str((await self._edge.network()).subnet))
            address = await self._apply(network, routes)
        if replace(routes, callers=before.callers) != before:
            yield Event("gateway", message=_tell(routes))
        if news := self._authority.news():
            yield Event("gateway", message=news)
        if shown is not None and shown != self._certification.shown():
            yield self._told_of_certificate()
        if await self._edge.publish(self._site, address, sorted(routes.hosts)):
            yield Event(
                "gateway", message="the files of the edge were gone: made it again, a moment without answers"
            )
        await self._leave_copies(sorted(routes.hosts))
        async for event in self._issue():
            yield event

    async def renew(self) -> AsyncIterator[Event]:
        """Replaces a certificate that expires soon, or whose file is another one now, in the running gateway."""
        if not self._folder.is_dir():
            return
        async with self._lock():
            routes, shown = self.routes(), self._certification.shown()
            if not routes.is_secure or not await self._admin.answers():
                return
            await self._certification.provide(routes)
            await self._follow_certificate(routes)
        if news := self._authority.news():
            yield Event("gateway", message=news)
        if shown != self._certification.shown():
            yield self._told_of_certificate()
        async for event in self._issue():
            yield event

    async def _issue(self) -> AsyncIterator[Event]:
        """Asks the ACME server, where it is time to. In vain: what is shown stays, and `status` says so."""
        routes = self.routes()
        if not self._certification.is_due(routes):
            return
        yield Event("gateway", message=f"asking for a certificate for {', '.join(sorted(routes.hosts))}")
        problem = await self._certification.obtain(routes, self._show_challenges)
        if problem is not None:
            yield Event("gateway", message=problem)
            return
        async with self._lock():
            await self._follow_certificate(self.routes())
        yield self._told_of_certificate()

    async def _show_challenges(self, texts: Mapping[str, str]) -> None:
        async with self._lock():
            write_whole(self._folder / haproxy.CHALLENGES, haproxy.mapping(texts))
            await self._follow_map(haproxy.CHALLENGES, texts)

    async def allow(self, network: Network, service: ServiceName, box: Box) -> None:
        """Lets a service call what it uses, from a container that is about to be made."""
        async with self._lock():
            routes, found = self.routes(), await self._reach.callers([])
            outside = tuple(f"{service}/{Outside.parse(url)}" for url in box.outside or ())
            own = Callers(calls=tuple(f"{service}/{name}" for name in (*box.uses, service)), outside=outside)
            await self._apply(network, replace(routes, callers=routes.callers.joined(found).joined(own)))

    async def admit(self, network: Network, workload: Workload, servers: Iterable[Server]) -> None:
        """Puts replicas into traffic. Those that are in already stay as they are."""
        async with self._lock():
            routes = joined(self.routes(), workload)
            name = backend_name(workload)
            for server in servers:
                if routes.backends[name].server(server.name) != server:
                    routes = routes.with_server(name, server)
            await self._apply(network, routes)

    async def drain(self, backend: str, names: Sequence[str], *, seconds: float) -> None:
        """No new requests for these replicas. Returns when those under way were answered, or after `seconds`;
        websockets may be left."""
        if not names:
            return
        async with self._lock():
            routes = self.routes().at_rest(backend, names)
            self._write(routes)
            if await self._admin.answers():
                await self._follow_servers(routes.backends.get(backend), await self.standings())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not await self._is_quiet(backend, names):
            await asyncio.sleep(_POLL_SECONDS)

    async def tunnels(self, backend: str, names: Sequence[str]) -> int:
        """How many websockets these replicas have open."""
        if not await self._admin.answers():
            return 0
        found = runtime.read_tunnels(await self._admin.ask("show sess"), backend)
        return sum(found[name] for name in names)

    async def look_away(self, backend: str, names: Sequence[str]) -> None:
        """These replicas are about to be told to end: what they have open stays until they close it."""
        for name in names:
            await self._admin.ask(runtime.look_away(backend, name))

    async def dismiss(self, backend: str, names: Sequence[str]) -> None:
        """Takes replicas out. Whatever they still have open is closed."""
        if not names:
            return
        async with self._lock():
            routes = self.routes().without_servers(backend, names)
            self._write(routes)
            if await self._admin.answers():
                standings = await self.standings()
                for name in names:
                    if (backend, name) in standings:
                        await self._delete(backend, name)

    async def tallies(self, backend: str) -> dict[str, Tally]:
        """What the running gateway counted of each server of a process."""
        return {
            name: item.tally for (owner, name), item in (await self.standings()).items() if owner == backend
        }

    async def standings(self) -> dict[tuple[str, str], Standing]:
        """What the running gateway thinks of each server; empty when it does not answer."""
        try:
            found = await self._admin.standings()
        except EngineError:
            return {}
        return {(item.backend, item.server): item for item in found}

    async def _apply(self, network: Network, routes: Routes) -> str:
        """Files first, then the process: killed in between, the next call goes on from the files."""
        await self._certification.provide(routes)
        is_known = read(self._folder / "applied") == self._digest(routes)
        if not is_known and await self._admin.answers():
            await self._check(routes)
        self._write(routes)
        address = await self._run(network)
        await self._follow(routes)
        return address

    async def remove(self) -> None:
        """Takes the environment off the edge, removes the gateway and its files."""
        await self._edge.withdraw(self._site)
        for item in await self._found():
            await self._containers.remove(item.id)
        if self._folder.is_dir():
            shutil.rmtree(self._folder)

    async def _is_quiet(self, backend: str, names: Sequence[str]) -> bool:
        """Nothing but websockets on these servers, and no worker of an older configuration that may use them."""
        answer = await self._admin.ask("show sess")
        tunnels = runtime.read_tunnels(answer, backend)
        sessions = runtime.read_sessions(answer, backend)
        queued = await self._sessions(backend, names)
        busy = any(max(sessions[name], queued[name]) > tunnels[name] for name in names)
        return not busy and await self._admin.old_workers() == 0

    async def _sessions(self, backend: str, names: Sequence[str]) -> dict[str, int]:
        found = {name: 0 for name in names}
        for item in await self._admin.standings():
            if item.backend == backend and item.server in found:
                found[item.server] = item.sessions
        return found

    async def _delete(self, backend: str, name: str) -> None:
        """Closes what is left, a websocket for example, and deletes the server."""
        await self._admin.tell(runtime.park(backend, name))
        deadline = time.monotonic() + _DELETE_SECONDS
        while True:
            await self._admin.ask(runtime.close_sessions(backend, name))
            answer = (await self._admin.ask(runtime.delete_server(backend, name))).strip()
            if not answer or "deleted" in answer or "No such" in answer:
                return
            if time.monotonic() > deadline:
                raise EngineError(f"{self._site.gateway} does not let go of {name} within 5 s: {answer}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _living(self, routes: Routes) -> Routes:
        """Without servers whose container is gone, removed by hand for example."""
        there = {item.name for item in await self._containers.find(self._site.marks, kind="replica")}
        for name, backend in routes.backends.items():
            routes = routes.without_servers(
                name, [item.name for item in backend.servers if item.name not in there]
            )
        return routes

    async def _recovered(self, workloads: Sequence[Workload]) -> Routes:
        """Without its files a gateway cannot be told anything: it goes, and what ran stays in traffic."""
        for item in await self._found():
            await self._containers.remove(item.id)
        listed = await self._containers.find(self._site.marks, kind="replica")
        sound = [item for item, seen in await self._containers.inspect_all(listed) if health.is_sound(seen)]
        return recovered(workloads, sound)

    async def keepsake(self) -> bytes | None:
        """What the container of the gateway keeps."""
        for item in await self._found():
            if kept := await self._containers.read(item.id, KEY):
                return kept
        return None

    async def _leave_copies(self, hosts: Sequence[str]) -> None:
        pair = self._authority.pair()
        for item in await self._found():
            await self._keepsakes.leave_hosts(item.id, hosts)
            if pair is not None:
                await self._keepsakes.leave_authority(item.id, pair)

    async def _run(self, network: Network) -> str:
        """Makes the container run; gives its address on the edge's network."""
        for item in await self._found():
            if item.status != "created" and item.image == tag("haproxy"):
                await self._reach.join_gateway(item.id)
                if not item.is_running:
                    await self._containers.start(item.id, name=item.name)
                    await self._started(item.id)
                elif not await self._admin.answers():
                    # Docker starts it again after a crash, and brings it back with itself
                    await self._admin.wait_started(partial(self._containers.last_lines, item.id))
                return item.labels[labels.EDGE_ADDRESS]
            await self._containers.remove(item.id)
        return await self._create(network)

    async def _found(self) -> list[Container]:
        return await self._containers.find(self._site.marks, kind="gateway")

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
                    folder=str(self._folder),
                )

            identity, _name = await self._ground.settle(self._site, network, choose)
        if self._keepsake:
            await self._keepsakes.leave(identity, KEY, self._keepsake)
        await self._ground.join(edge_network, identity, edge_address)
        await self._reach.join_gateway(identity)
        await self._containers.start(identity, name=self._site.gateway)
        await self._started(identity)
        return edge_address

    async def _started(self, identity: str) -> None:
        await self._admin.wait_started(lambda: self._containers.last_lines(identity))
        self._mark(self.routes())

    def _told_of_certificate(self) -> Event:
        ends = self._certification.expiry()
        assert ends is not None, "a certificate was just written"
        return Event("gateway", message=f"the gateway shows another certificate, valid until {ends:%Y-%m-%d}")

    def _write(self, routes: Routes) -> None:
        """The files, each whole: what HAProxy finds when it starts by itself."""
        write_whole(self._folder / "routes.json", routes.dump())
        for file, entries in haproxy.maps(routes).items():
            write_whole(self._folder / file, haproxy.mapping(entries))
        if read(self._folder / haproxy.CHALLENGES) is None:
            write_whole(self._folder / haproxy.CHALLENGES, "")
        write_whole(self._folder / "haproxy.cfg", self._configuration(routes))

    def _configuration(self, routes: Routes) -> str:
        subnet = read(self._folder / "edge-subnet") or "127.0.0.1"
        return haproxy.gateway(routes, edge_subnet=subnet, owner=(os.getuid(), os.getgid()))

    async def _follow(self, routes: Routes) -> None:
        """Brings the running process to the files: by a reload if backends changed, else by commands."""
        if read(self._folder / "applied") != self._digest(routes):
            await self._admin.reload()
            self._mark(routes)
            return
        for file, wanted in haproxy.maps(routes).items():
            if file != haproxy.OUTSIDE or routes.callers.ports:
                await self._follow_map(file, wanted)
        await self._follow_certificate(routes)
        standings = await self.standings()
        for backend in routes.backends.values():
            await self._follow_servers(backend, standings)

    async def _follow_map(self, file: str, wanted: Mapping[str, str]) -> None:
        for command in runtime.map_commands(file, await self._admin.map(file), wanted):
            await self._admin.tell(command)

    async def _follow_certificate(self, routes: Routes) -> None:
        pem = self._certification.shown()
        if pem is None or not routes.is_secure:
            return
        if await self._admin.certificate() == certificates.fingerprint(pem):
            return
        if len(pem) > runtime.PAYLOAD_CHARACTERS:
            await self._admin.reload()
        else:
            await self._admin.install_certificate(pem)

    async def _follow_servers(
        self, backend: Backend | None, standings: dict[tuple[str, str], Standing]
    ) -> None:
        if backend is None:
            return
        for server in backend.servers:
            standing = standings.get((backend.name, server.name))
            if standing is None:
                add, *enable = runtime.add_server(backend, server)
                await self._admin.tell(add, unless=("New server registered",))
                for command in enable:
                    await self._admin.tell(command)
                continue
            if standing.weight != server.weight:
                await self._admin.tell(runtime.weigh(backend.name, server.name, server.weight))
            if server.weight and standing.status.startswith(("DRAIN", "MAINT")):
                await self._admin.tell(runtime.ready(backend.name, server.name))
        wanted = {server.name for server in backend.servers}
        for name in [server for owner, server in standings if owner == backend.name and server not in wanted]:
            await self._delete(backend.name, name)

    async def _check(self, routes: Routes) -> None:
        candidate = self._folder / "candidate.cfg"
        write_whole(candidate, self._configuration(routes))
        for file in haproxy.maps(routes):
            # a gateway of an earlier version does not have them all
            (self._folder / file).touch(mode=0o600)
        try:
            done = await self._client.execute(
                self._site.gateway,
                ["haproxy", "-c", "-f", f"{payloads.MOUNT}/{candidate.name}"],
                what="check the configuration of the gateway",
            )
        finally:
            candidate.unlink(missing_ok=True)
        if done.code != 0:
            raise EngineError(f"the gateway refuses its configuration:\n{done.output.strip()}")

    def _mark(self, routes: Routes) -> None:
        write_whole(self._folder / "applied", self._digest(routes))

    def _digest(self, routes: Routes) -> str:
        """Of what only a reload can change."""
        return hashlib.sha256(self._configuration(haproxy.shape(routes)).encode()).hexdigest()

    def _lock(self) -> AbstractAsyncContextManager[None]:
        private_folder(self._folder)
        return lock(self._folder / "lock", what=f"changing {self._site.gateway}")


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
