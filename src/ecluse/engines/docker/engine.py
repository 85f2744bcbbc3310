"""The Docker engine behind ports.Engine: which part of an environment does what is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from ecluse.engines.docker import observation, removal, terminal
from ecluse.engines.docker.capacity import read_capacity
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.departure import depart
from ecluse.engines.docker.environment import Environment
from ecluse.engines.docker.gateway.listening import Listening
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.logs import masked
from ecluse.engines.docker.machine import Machine
from ecluse.engines.docker.patience import patient
from ecluse.engines.docker.recovery import Recovery
from ecluse.model.application import Application, BackingService, Passwords, Target
from ecluse.model.capacity import Capacity
from ecluse.model.event import Event, LogLine
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.service import Process
from ecluse.model.workload import Box, Run, Workload
from ecluse.ports import Copy, Draft, Vault

RETIRE_DRAIN_SECONDS = 10.0


class DockerEngine:
    """Implements ports.Engine on the Docker engine of this machine, for one product.

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
        self._machine = Machine(
            client=Client(url),
            vault=vault,
            state=state,
            folder=machine,
            listening=Listening(edge_address, edge_http_port, edge_https_port),
            keepsake=keepsake,
        )

    @property
    def client(self) -> Client:
        return self._machine.client

    async def close(self) -> None:
        await self.client.close()

    async def observe(self, target: Target) -> Observed:
        return await observation.observe(self._at(target))

    async def variables(self, target: Target, service: ServiceName) -> Mapping[str, str]:
        newest = await self._at(target).replicas.newest(service)
        entries = newest[1]["Config"]["Env"] if newest else ()
        return {key: text for key, _, text in (entry.partition("=") for entry in entries)}

    async def file(self, target: Target, service: ServiceName, path: str) -> bytes | None:
        newest = await self._at(target).replicas.newest(service)
        return await self._machine.containers.read(newest[0].id, path) or None if newest else None

    async def resembles(self, target: Target, workload: Workload) -> bool:
        here = self._at(target)
        replicas = await here.replicas.of(workload.service, workload.process)
        return await here.likeness.holds(workload, replicas)

    async def passwords(self, target: Target, backing: BackingService) -> Passwords:
        return await self._at(target).backing.passwords(backing)

    async def keepsake(self, target: Target) -> bytes | None:
        return await self._at(target).gateway.vessel.keepsake()

    async def capacity(self, target: Target) -> Capacity:
        machine = self._machine
        return await read_capacity(self._at(target).site, machine.client, machine.containers, machine.ground)

    @patient
    async def prepare(self, target: Target, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        here = self._at(target)
        here.preparation.refuse(workloads)
        network = await self._machine.ground.network(here.site)
        if network is None:
            network = await self._machine.ground.ensure(here.site)
            yield Event("note", message=f"made the network {network.name}, {network.subnet}")
        for workload in workloads:
            await here.reach.network(workload.service, workload.box)
        async for event in here.preparation.execute(network, workloads):
            yield event
        await here.reach.tidy(network, workloads)
        await here.debug.tidy()

    @patient
    async def renew(self, target: Target) -> AsyncIterator[Event]:
        async for event in self._at(target).renewal.renew():
            yield event

    async def recover(
        self, target: Target, applications: Mapping[ServiceName, Application]
    ) -> AsyncIterator[Event]:
        here = self._at(target)
        recovery = Recovery(self._machine.containers, partial(self.observe, target))
        found = [*await self._machine.containers.find(here.site.marks), *await self._machine.edge.found()]
        standings = await here.gateway.servers.standings()
        async for event in recovery.execute(found, standings, applications):
            yield event

    @patient
    async def provide(self, target: Target, backing: BackingService) -> AsyncIterator[Event]:
        here = self._at(target)
        network = await self._machine.ground.ensure(here.site)
        async for event in here.backing.provide(network, backing):
            yield event

    @patient
    async def rollout(self, target: Target, workload: Workload) -> AsyncIterator[Event]:
        here = self._at(target)
        home, network = await self._open(here, workload.service, workload.box)
        async for event in here.rollout(workload, home=home, network=network).execute():
            yield event

    @patient
    async def run(self, target: Target, run: Run) -> AsyncIterator[Event]:
        here = self._at(target)
        _, network = await self._open(here, run.service, run.box)
        async for event in here.runs.execute(network, run):
            yield event

    async def confirm(
        self,
        target: Target,
        workloads: Sequence[Workload],
        backing: Sequence[BackingService],
        *,
        since: datetime,
    ) -> AsyncIterator[Event]:
        async for event in self._at(target).confirmation(since=since).execute(workloads, backing):
            yield event

    async def tidy(self, target: Target, run: Run) -> None:
        await self._at(target).runs.tidy(run)

    @patient
    async def retire(
        self, target: Target, service: ServiceName, process: str | None = None
    ) -> AsyncIterator[Event]:
        here = self._at(target)
        replicas = await here.replicas.of(service, process)
        for name in sorted({item.process for item in replicas}):
            leaving = [item for item in replicas if item.process == name]
            spec = Process(name, drain=RETIRE_DRAIN_SECONDS)
            async for event in depart(self._machine.containers, here.traffic, leaving, spec):
                yield event

    async def dump(self, target: Target, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        async for event in self._at(target).backing.dump(backing, draft):
            yield event

    @patient
    async def load(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        async for event in self._at(target).backing.load(backing, copy):
            yield event

    @patient
    async def rehearse(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        async for event in self._at(target).trials.rehearse(backing, copy):
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
        here = self._at(target)
        network = await self._machine.ground.ensure(here.site)
        async for event in here.versions.change(network, before, after, draft, keep):
            yield event

    async def withdraw(self, target: Target, backing: str) -> AsyncIterator[Event]:
        async for event in self._at(target).backing.withdraw(backing):
            yield event

    @patient
    async def remove(self, target: Target, *, volumes: bool) -> AsyncIterator[Event]:
        async for event in removal.remove(self._at(target), volumes=volumes):
            yield event

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
        logs = self._at(target).logs(service, process, since=since, tail=tail)
        return masked(logs.follow() if follow else logs.read(), self._machine.dressing.mask_of_all())

    async def execute(
        self, target: Target, service: ServiceName, process: str | None, command: Sequence[str], *, tty: bool
    ) -> int:
        chosen = await self._at(target).replicas.one_running(service, process)
        return await terminal.join(self.client, chosen.id, command, tty=tty)

    async def debug(
        self, target: Target, workload: Workload, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        here = self._at(target)
        beside = await here.replicas.one_running(workload.service, workload.process)
        return await here.debug.join(beside, workload.box, image, command, tty=tty)

    def _at(self, target: Target) -> Environment:
        return Environment(self._machine, target)

    async def _open(self, here: Environment, service: ServiceName, box: Box) -> tuple[Network, Network]:
        """The networks of the environment and of a service, ready for one more container of that service."""
        home = await self._machine.ground.existing(here.site)
        network = await here.reach.network(service, box)
        await here.traffic.allow(home, service, box)
        return home, network
