"""Brings the replicas of one process to what they should be: new ones ready, then traffic, then old ones out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecluse.engines.docker import addresses, health, payloads
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing, Unreadable
from ecluse.engines.docker.gateway import Gateway
from ecluse.engines.docker.ground import Ground, Network, held
from ecluse.engines.docker.introduction import Baseline, Introduction
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.output import Mask
from ecluse.engines.docker.probe import Probe
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.routing import Server
from ecluse.engines.docker.surroundings import explained
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event, EventKind
from ecluse.model.service import Process
from ecluse.model.workload import Box, Workload


@dataclass(frozen=True, slots=True)
class Present:
    """The replicas that are there. kept: they stay. old: they leave. half_made: they were never ready."""

    kept: tuple[Container, ...]
    old: tuple[Container, ...]
    half_made: tuple[Container, ...]


def sort(found: Sequence[tuple[Container, dict[str, Any]]], workload: Workload) -> Present:
    """Which replicas stay: running ones of the wanted box, as many as are wanted. Pure."""
    half_made = [item for item, inspected in found if health.is_half_made(inspected)]
    good = [
        item for item, inspected in found if health.is_sound(inspected) and item.box == workload.box.digest
    ]
    kept = sorted(good, key=lambda item: item.number)[: workload.replicas]
    old = [item for item, _ in found if item not in half_made and item not in kept]
    return Present(tuple(kept), tuple(old), tuple(half_made))


class Rollout:
    """One rollout of one process."""

    def __init__(
        self,
        site: Site,
        workload: Workload,
        *,
        home: Network,
        network: Network,
        client: Client,
        containers: Containers,
        ground: Ground,
        gateway: Gateway,
        reach: Reach,
        dressing: Dressing,
    ) -> None:
        self._site = site
        self._workload = workload
        self._home = home
        self._network = network
        self._client = client
        self._containers = containers
        self._ground = ground
        self._gateway = gateway
        self._reach = reach
        self._dressing = dressing
        self._mask = dressing.mask(workload.box)

    async def execute(self) -> AsyncIterator[Event]:
        present = sort(await self._found(), self._workload)
        baseline = Baseline(await self._gateway.tallies(self._backend))
        async for event in self._sweep(present):
            yield event
        made: list[Container] = []
        async for event in self._bring_up(present, made):
            yield event
        async for event in self._introduce([*present.kept, *made], present.old, baseline):
            yield event
        async for event in self.take_out(present.old):
            yield event

    async def _bring_up(self, present: Present, made: list[Container]) -> AsyncIterator[Event]:
        """Makes the replicas that are missing. One that does not get ready takes the others of this rollout along."""
        try:
            await self._check_kept(present.kept)
            for _ in range(self._workload.replicas - len(present.kept)):
                async for event in self._make(made):
                    yield event
        except EcluseError as error:
            yield self._event("replica.failed", made[-1] if made else None, error.message)
            for item in made:
                await self._containers.remove(item.id)
            raise await explained(error, self._site, self._containers, self._workload.box) from error
        for item in made:
            # from now on it comes back by itself, after a crash or a restart of Docker
            await self._containers.update(item.id, payloads.restarting())

    async def _introduce(
        self, members: Sequence[Container], leaving: Sequence[Container], baseline: Baseline
    ) -> AsyncIterator[Event]:
        """A release whose answers are worse goes again, and what was there before stays."""
        try:
            async for event in self._admit(members, leaving, baseline):
                yield event
        except RolloutFailed as error:
            yield self._event("replica.failed", None, error.message)
            async for event in self.take_out(members):
                yield event
            raise

    async def take_out(self, leaving: Sequence[Container]) -> AsyncIterator[Event]:
        """Out of traffic, then stopped, all at once; then removed."""
        for item in leaving:
            yield self._event("replica.draining", item)
        async for event in depart(self._containers, self._gateway, leaving, self._workload.spec):
            yield event

    async def _found(self) -> list[tuple[Container, dict[str, Any]]]:
        listed = await self._containers.find(
            self._site.marks,
            kind="replica",
            service=str(self._workload.service),
            process=self._workload.process,
        )
        return await self._containers.inspect_all(listed)

    async def _sweep(self, present: Present) -> AsyncIterator[Event]:
        """Removes what an earlier attempt left half made."""
        for item in present.half_made:
            await self._gateway.dismiss(self._backend, [item.name])
            await self._containers.remove(item.id)
            yield self._event("replica.stopped", item, "left by an attempt that was cut short")

    async def _make(self, made: list[Container]) -> AsyncIterator[Event]:
        item = await self._create()
        made.append(item)
        yield self._event("replica.created", item)
        await self._start(item)
        yield self._event("replica.started", item)
        yield self._event("replica.probing", item, _probed(self._workload))
        await self._probe(item)
        yield self._event("replica.ready", item)

    async def _probe(self, item: Container) -> None:
        await Probe(
            self._client,
            self._containers,
            container=item.id,
            address=item.address,
            workload=self._workload,
            mask=self._mask,
        ).wait_ready()

    async def _check_kept(self, kept: Sequence[Container]) -> None:
        """The gateway is about to ask replicas that stay another question: they must pass it first."""
        if self._gateway.asks_otherwise(self._workload):
            for item in kept:
                await self._probe(item)

    async def _create(self) -> Container:
        hosts = await self._reach.names(self._network, self._workload.box, subject=self._workload.subject)
        env = self._dressing.env(self._workload.box)
        chosen: dict[str, Any] = {}

        def choose(found: Sequence[Container], network: Network) -> tuple[str, payloads.Body]:
            numbers = {item.number for item in found if self._is_mine(item)}
            number = next(n for n in range(1, len(numbers) + 2) if n not in numbers)
            address = addresses.free_address(network.subnet, held(found), addresses.REPLICA_OFFSETS)
            place = payloads.Place(network.name, address, hosts)
            name, body = payloads.replica(self._site, self._workload, number=number, place=place, env=env)
            chosen["labels"] = body["Labels"]
            return name, body

        try:
            identity, name = await self._ground.settle(self._site, self._network, choose)
        except ApiError as error:
            raise self._refused(error) from error
        return Container(identity, name, "created", chosen["labels"])

    async def _start(self, item: Container) -> None:
        try:
            await put_files(self._dressing, item.id, self._workload.box, self._workload.subject, self._mask)
            await self._containers.start(item.id, name=item.name)
        except ApiError as error:
            raise self._refused(error) from error

    async def _admit(
        self, members: Sequence[Container], leaving: Sequence[Container], baseline: Baseline
    ) -> AsyncIterator[Event]:
        """Into traffic: at once, or beside the replicas of another release that are about to leave."""
        if self._workload.spec.port is None:
            return
        routes = self._gateway.routes()
        rivals = [
            server
            for item in leaving
            if item.is_running and item.box != self._workload.box.digest
            and (server := routes.server(self._backend, item.name)) is not None
        ]  # fmt: skip
        servers = [Server(item.name, item.address, self._workload.spec.port) for item in members]
        if not servers or not rivals:
            await self._gateway.admit(self._home, self._workload, servers)
            return
        introduction = Introduction(
            self._gateway, self._home, self._workload, members=servers, old=rivals, baseline=baseline
        )
        try:
            async for event in introduction.execute():
                yield event
        except RolloutFailed as error:
            raise RolloutFailed(replace(error.cause, logs=await self._last_lines(members))) from error

    async def _last_lines(self, members: Sequence[Container]) -> tuple[str, ...]:
        lines = await self._containers.last_lines(members[0].id)
        return tuple(self._mask.hide(line) for line in lines)

    def _refused(self, error: ApiError) -> RolloutFailed:
        reason = self._mask.hide(error.reason)
        return RolloutFailed(
            health.refused(self._workload.subject, self._workload.box.release.image_id, reason)
        )

    def _is_mine(self, item: Container) -> bool:
        return (
            item.kind == "replica"
            and item.service == str(self._workload.service)
            and item.process == self._workload.process
        )

    @property
    def _backend(self) -> str:
        return f"{self._workload.service}.{self._workload.process}"

    def _event(self, kind: EventKind, item: Container | None, message: str = "") -> Event:
        return Event(kind, self._workload.subject, message, replica=item.name if item else None)


async def depart(
    containers: Containers, gateway: Gateway, leaving: Sequence[Container], spec: Process
) -> AsyncIterator[Event]:
    """Takes replicas of one process out of traffic, stops and removes them.

    Programs with open websockets are told to end while these still pass, so that they can say goodbye.
    """
    if not leaving:
        return
    backend = f"{leaving[0].service}.{leaving[0].process}"
    names = [item.name for item in leaving]
    await gateway.drain(backend, names, seconds=spec.drain)
    if await gateway.tunnels(backend, names):
        await gateway.look_away(backend, names)
        await asyncio.gather(*(containers.stop(item.id, grace=spec.websockets.grace) for item in leaving))
    await gateway.dismiss(backend, names)
    await asyncio.gather(*(_stop(containers, item) for item in leaving))
    for item in leaving:
        yield Event("replica.stopped", f"{item.service}/{item.process}", replica=item.name)


async def _stop(containers: Containers, item: Container) -> None:
    try:
        inspected = await containers.inspect(item.id)
    except ApiError as error:
        if error.status != 404:
            raise
        return
    await containers.stop(item.id, grace=float(inspected["Config"].get("StopTimeout") or 10))
    await containers.remove(item.id)


async def put_files(dressing: Dressing, container: str, box: Box, subject: str, mask: Mask) -> None:
    """RolloutFailed when the program could not read one, or when it cannot be put where it should be."""
    try:
        await dressing.put(container, box.files)
    except Unreadable as error:
        raise RolloutFailed(health.unreadable(subject, error.message)) from error
    except ApiError as error:
        paths = [file.path for file in box.files]
        raise RolloutFailed(health.not_put(subject, paths, mask.hide(error.reason))) from error


def _probed(workload: Workload) -> str:
    probe = workload.spec.probe
    if probe.command:
        return "by its command"
    if workload.spec.port is None:
        return "it should go on running"
    return f"GET {probe.path} on port {workload.spec.port}" if probe.path else f"port {workload.spec.port}"
