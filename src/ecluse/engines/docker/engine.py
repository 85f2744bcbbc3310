"""The Docker engine behind ports.Engine: composes the parts, and answers for one product on one machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ecluse.engines.docker import health, labels, terminal
from ecluse.engines.docker.authority import Authority
from ecluse.engines.docker.backing import Backing
from ecluse.engines.docker.capacity import read_capacity
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.confirm import Confirmation
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.debug import Debug
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.edge import Edge
from ecluse.engines.docker.gateway import Gateway
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.house import House, tag
from ecluse.engines.docker.keepsakes import Keepsakes
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.logs import Logs, masked
from ecluse.engines.docker.patience import patient
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.recovery import Recovery
from ecluse.engines.docker.rollout import Rollout, depart
from ecluse.engines.docker.routing import Entrance, Routes
from ecluse.engines.docker.runs import Runs
from ecluse.engines.docker.versions import Versions
from ecluse.engines.docker.volumes import Volumes
from ecluse.errors import NotFound, nearest
from ecluse.model.application import Application, BackingService, Target
from ecluse.model.capacity import Capacity
from ecluse.model.event import Event, LogLine
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.service import Process
from ecluse.model.workload import Box, Run, Workload
from ecluse.ports import Copy, Draft, Vault

RETIRE_DRAIN_SECONDS = 10.0


class DockerEngine:
    """Implements ports.Engine on the Docker engine of this machine.

    state: private folder of the product. machine: private folder shared by the products of this machine.
    edge_https_port: 0 for no HTTPS. url: another socket than the usual one (DOCKER_HOST counts too).
    keepsake: what to keep with each environment outside of the state directory, for root alone.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        state: Path,
        machine: Path,
        edge_address: str,
        edge_http_port: int,
        edge_https_port: int,
        url: str | None = None,
        keepsake: bytes = b"",
    ) -> None:
        self._state = state.absolute()
        self._machine = machine.absolute()
        self._keepsake = keepsake
        self._client = Client(url)
        self._containers = Containers(self._client)
        self._dressing = Dressing(vault, self._containers)
        self._ground = Ground(self._client, self._containers, self._machine)
        self._house = House(self._client, self._machine)
        self._keepsakes = Keepsakes(self._containers, labels.machine_id(self._machine))
        self._authority = Authority(self._machine, self._keepsakes.authority)
        self._edge = Edge(
            machine=self._machine,
            listen=(edge_address, edge_http_port),
            https_port=edge_https_port,
            containers=self._containers,
            ground=self._ground,
            house=self._house,
            keepsakes=self._keepsakes,
        )

    @property
    def client(self) -> Client:
        return self._client

    async def close(self) -> None:
        await self._client.close()

    async def observe(self, target: Target) -> Observed:
        site = self._site(target)
        network = await self._ground.network(site)
        listed = await self._containers.find(site.marks)
        volumes = await self._backing(site).volumes()
        if network is None and not listed:
            return Observed(exists=False, volumes=volumes)
        gateway = self._gateway(site)
        standings, routes = await gateway.standings(), gateway.routes()
        replicas = [item for item in listed if item.kind == "replica"]
        return Observed(
            exists=True,
            replicas=tuple(
                health.replica(item, inspected, standings.get((f"{item.service}.{item.process}", item.name)))
                for item, inspected in await self._containers.inspect_all(replicas)
            ),
            backing=await self._backing(site).observe(),
            hosts=_hosts(routes),
            urls={host: (routes.entrance or self._entrance(target)).address(host) for host in routes.hosts},
            volumes=volumes,
            gateway=next((item.status for item in listed if item.kind == "gateway"), None),
            tls=routes.entrance.tls if routes.entrance else None,
            certificate=gateway.certificate_expiry(),
            certificate_problem=gateway.certificate_problem(),
            outdated=_outdated(
                [*(item for item in listed if item.kind == "gateway"), *await self._edge.found()]
            ),
            lost=await self._lost(gateway, listed),
        )

    async def _lost(self, gateway: Gateway, listed: Sequence[Container]) -> tuple[str, ...]:
        """The proxies that nobody can tell anything any more, while something runs behind them."""
        kinds = {item.kind for item in listed}
        is_lost = gateway.is_without_files() if "gateway" in kinds else "replica" in kinds
        edge = await self._edge.is_lost(is_needed=bool(gateway.routes().hosts))
        return (*(["edge"] if edge else []), *(["gateway"] if is_lost else []))

    async def variables(self, target: Target, service: ServiceName) -> Mapping[str, str]:
        newest = await self._newest(target, service)
        return {
            key: text
            for _, inspected in newest
            for key, _, text in (entry.partition("=") for entry in inspected["Config"]["Env"])
        }

    async def file(self, target: Target, service: ServiceName, path: str) -> bytes | None:
        for item, _ in await self._newest(target, service):
            return await self._containers.read(item.id, path) or None
        return None

    async def _newest(self, target: Target, service: ServiceName) -> list[tuple[Container, dict[str, Any]]]:
        """The replica of a service that was made last; none where nothing of it runs."""
        replicas = await self._replicas(self._site(target), service, None)
        found = await self._containers.inspect_all(replicas)
        return sorted(found, key=lambda pair: str(pair[1]["Created"]))[-1:]

    async def keepsake(self, target: Target) -> bytes | None:
        return await self._gateway(self._site(target)).keepsake()

    async def capacity(self, target: Target) -> Capacity:
        return await read_capacity(self._site(target), self._client, self._containers, self._ground)

    @patient
    async def prepare(self, target: Target, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        site = self._site(target)
        self._gateway(site).refuse(workloads)
        network = await self._ground.network(site)
        if network is None:
            network = await self._ground.ensure(site)
            yield Event("note", message=f"made the network {network.name}, {network.subnet}")
        reach = self._reach(site)
        for workload in workloads:
            await reach.network(workload.service, workload.box)
        async for event in self._gateway(site).prepare(network, workloads):
            yield event
        await reach.tidy(network, workloads)
        await self._debug(site).tidy()

    @patient
    async def renew(self, target: Target) -> AsyncIterator[Event]:
        async for event in self._gateway(self._site(target)).renew():
            yield event

    async def recover(
        self, target: Target, applications: Mapping[ServiceName, Application]
    ) -> AsyncIterator[Event]:
        site = self._site(target)
        recovery = Recovery(self._containers, partial(self.observe, target))
        found = [*await self._containers.find(site.marks), *await self._edge.found()]
        standings = await self._gateway(site).standings()
        async for event in recovery.execute(found, standings, applications):
            yield event

    @patient
    async def provide(self, target: Target, backing: BackingService) -> AsyncIterator[Event]:
        site = self._site(target)
        network = await self._ground.ensure(site)
        async for event in self._backing(site).provide(network, backing):
            yield event

    @patient
    async def rollout(self, target: Target, workload: Workload) -> AsyncIterator[Event]:
        site = self._site(target)
        home, network = await self._open(site, workload.service, workload.box)
        rollout = Rollout(
            site,
            workload,
            home=home,
            network=network,
            client=self._client,
            containers=self._containers,
            ground=self._ground,
            gateway=self._gateway(site),
            reach=self._reach(site),
            dressing=self._dressing,
        )
        async for event in rollout.execute():
            yield event

    @patient
    async def run(self, target: Target, run: Run) -> AsyncIterator[Event]:
        _, network = await self._open(self._site(target), run.service, run.box)
        async for event in self._runs(target).execute(network, run):
            yield event

    async def confirm(
        self,
        target: Target,
        workloads: Sequence[Workload],
        backing: Sequence[BackingService],
        *,
        since: datetime,
    ) -> AsyncIterator[Event]:
        site = self._site(target)
        confirmation = Confirmation(
            site,
            since=since,
            client=self._client,
            containers=self._containers,
            gateway=self._gateway(site),
            dressing=self._dressing,
        )
        async for event in confirmation.execute(workloads, backing):
            yield event

    async def tidy(self, target: Target, run: Run) -> None:
        await self._runs(target).tidy(run)

    @patient
    async def retire(
        self, target: Target, service: ServiceName, process: str | None = None
    ) -> AsyncIterator[Event]:
        site = self._site(target)
        replicas = await self._replicas(site, service, process)
        for name in sorted({item.process for item in replicas}):
            leaving = [item for item in replicas if item.process == name]
            async for event in depart(
                self._containers,
                self._gateway(site),
                leaving,
                Process(name, drain=RETIRE_DRAIN_SECONDS),
            ):
                yield event

    async def dump(self, target: Target, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        async for event in self._backing(self._site(target)).dump(backing, draft):
            yield event

    @patient
    async def load(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        async for event in self._backing(self._site(target)).load(backing, copy):
            yield event

    @patient
    async def rehearse(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        async for event in self._backing(self._site(target)).rehearse(backing, copy):
            yield event

    @patient
    async def upgrade(
        self,
        target: Target,
        before: BackingService,
        after: BackingService,
        draft: Draft,
        keep: Callable[[], Copy],
    ) -> AsyncIterator[Event]:
        site = self._site(target)
        network = await self._ground.ensure(site)
        async for event in self._versions(site).change(network, before, after, draft, keep):
            yield event

    async def withdraw(self, target: Target, backing: str) -> AsyncIterator[Event]:
        async for event in self._backing(self._site(target)).withdraw(backing):
            yield event

    @patient
    async def remove(self, target: Target, *, volumes: bool) -> AsyncIterator[Event]:
        site = self._site(target)
        async for event in self._remove_containers(site):
            yield event
        for network in await self._ground.of_services(site):
            await self._ground.remove_network(network)
        home = await self._ground.network(site)
        if home is not None:
            await self._ground.remove_network(home)
        await self._edge.forget_network()
        backing = self._backing(site)
        backing.forget()
        for name in await backing.volumes() if volumes else ():
            await backing.remove_volume(name)
            yield Event("note", message=f"removed the volume {name}")

    def logs(
        self,
        target: Target,
        service: ServiceName,
        process: str | None,
        *,
        follow: bool,
        since: float | None,
        tail: int | None,
    ) -> AsyncIterator[LogLine]:
        logs = Logs(
            self._site(target),
            str(service),
            process,
            client=self._client,
            containers=self._containers,
            since=since,
            tail=tail,
        )
        return masked(logs.follow() if follow else logs.read(), self._dressing.mask_of_all())

    async def execute(
        self, target: Target, service: ServiceName, process: str | None, command: Sequence[str], *, tty: bool
    ) -> int:
        site = self._site(target)
        running = [item for item in await self._replicas(site, service, process) if item.is_running]
        if not running:
            raise await self._nothing_of(site, service, process)
        chosen = next((item for item in running if item.process == "web"), running[0])
        return await terminal.join(self._client, chosen.id, command, tty=tty)

    async def debug(
        self, target: Target, workload: Workload, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        site = self._site(target)
        replicas = await self._replicas(site, workload.service, workload.process)
        running = [item for item in replicas if item.is_running]
        if not running:
            raise await self._nothing_of(site, workload.service, workload.process)
        return await self._debug(site).join(running[0], workload.box, image, command, tty=tty)

    async def _remove_containers(self, site: Site) -> AsyncIterator[Event]:
        """Those that serve first, then what they stand on, the gateway last."""
        listed = await self._containers.find(site.marks)
        for kind, grace in (("replica", 10.0), ("run", 5.0), ("trial", 5.0), ("backing", 60.0)):
            doomed = [item for item in listed if item.kind == kind]
            await self._containers.stop_all(doomed, grace=grace)
            for item in doomed:
                await self._containers.remove(item.id)
                yield Event("note", _subject(item), f"removed {item.name}")
        await self._gateway(site).remove()

    def _debug(self, site: Site) -> Debug:
        return Debug(site, client=self._client, containers=self._containers, dressing=self._dressing)

    async def _replicas(self, site: Site, service: ServiceName, process: str | None) -> list[Container]:
        more = {"service": str(service)} | ({"process": process} if process else {})
        return await self._containers.find(site.marks, kind="replica", **more)

    async def _nothing_of(self, site: Site, service: ServiceName, process: str | None) -> NotFound:
        wanted = f"{service}/{process}" if process else str(service)
        running = [
            item for item in await self._containers.find(site.marks, kind="replica") if item.is_running
        ]
        names = {f"{item.service}/{item.process}" if process else item.service for item in running}
        return NotFound(
            f"no replica of {wanted} runs in {site.target.environment}", hint=nearest(wanted, names)
        )

    async def _open(self, site: Site, service: ServiceName, box: Box) -> tuple[Network, Network]:
        """The networks of the environment and of a service, ready for one more container of that service."""
        home, network = await self._ground.existing(site), await self._reach(site).network(service, box)
        await self._gateway(site).allow(home, service, box)
        return home, network

    def _site(self, target: Target) -> Site:
        return Site(target, labels.machine_id(self._machine))

    def _gateway(self, site: Site) -> Gateway:
        return Gateway(
            site,
            state=self._state,
            machine=self._machine,
            client=self._client,
            containers=self._containers,
            ground=self._ground,
            house=self._house,
            edge=self._edge,
            authority=self._authority,
            reach=self._reach(site),
            keepsake=self._keepsake,
            keepsakes=self._keepsakes,
        )

    def _runs(self, target: Target) -> Runs:
        site = self._site(target)
        return Runs(
            site,
            client=self._client,
            containers=self._containers,
            ground=self._ground,
            reach=self._reach(site),
            dressing=self._dressing,
        )

    def _backing(self, site: Site) -> Backing:
        return Backing(
            site,
            state=self._state,
            client=self._client,
            containers=self._containers,
            ground=self._ground,
            house=self._house,
            reach=self._reach(site),
            dressing=self._dressing,
        )

    def _versions(self, site: Site) -> Versions:
        return Versions(
            site,
            client=self._client,
            containers=self._containers,
            backing=self._backing(site),
            volumes=Volumes(site, state=self._state, client=self._client, ground=self._ground),
        )

    def _reach(self, site: Site) -> Reach:
        return Reach(site, containers=self._containers, ground=self._ground)

    def _entrance(self, target: Target) -> Entrance:
        http, https = self._edge.ports
        return Entrance(http, https, target.tls)


def _outdated(proxies: Sequence[Container]) -> tuple[str, ...]:
    return tuple(sorted(item.kind for item in proxies if item.image != tag("haproxy")))


def _hosts(routes: Routes) -> dict[str, str]:
    return {host: routes.backends[name].service for host, name in routes.hosts.items()}


def _subject(item: Container) -> str:
    match item.kind:
        case "backing" | "trial":
            return item.labels.get(labels.BACKING, "")
        case "run":
            return f"{item.service}/{item.labels.get(labels.RUN, '')}"
        case _:
            return f"{item.service}/{item.process}"
