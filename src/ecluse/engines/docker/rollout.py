"""Brings the replicas of one process to what they should be: new ones ready, then traffic, then old ones out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from ecluse.engines.docker import health, payloads
from ecluse.engines.docker.client import Client, Unreachable
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.departure import depart
from ecluse.engines.docker.gateway.routing import Server, backend_name
from ecluse.engines.docker.gateway.traffic import Traffic
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.introduction import Baseline, Introduction
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.making import Making
from ecluse.engines.docker.probe import Probe
from ecluse.engines.docker.replicas import Replicas
from ecluse.engines.docker.surroundings import explained
from ecluse.engines.docker.together import together
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event, EventKind
from ecluse.model.workload import Workload

SIDE_BY_SIDE = 4
"""How many replicas of a process start at a time: programs that start load the machine."""


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
        client: Client,
        containers: Containers,
        traffic: Traffic,
        making: Making,
    ) -> None:
        self._site = site
        self._workload = workload
        self._home = home
        self._client = client
        self._containers = containers
        self._traffic = traffic
        self._making = making

    async def execute(self) -> AsyncIterator[Event]:
        present = sort(await self._found(), self._workload)
        baseline = Baseline(await self._traffic.tallies(self._backend))
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
            async for event in self._make_missing(present.kept, made):
                yield event
        except Unreachable:
            # nothing is known of them now: who begins again finds them
            raise
        except EcluseError as error:
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
        async for event in depart(self._containers, self._traffic, leaving, self._workload.spec):
            yield event

    async def _found(self) -> list[tuple[Container, dict[str, Any]]]:
        listed = await Replicas(self._site, self._containers).of(
            self._workload.service, self._workload.process
        )
        return await self._containers.inspect_all(listed)

    async def _sweep(self, present: Present) -> AsyncIterator[Event]:
        """Removes what an earlier attempt left half made."""
        for item in present.half_made:
            await self._traffic.dismiss(self._backend, [item.name])
            await self._containers.remove(item.id)
            yield self._event("replica.stopped", item, "left by an attempt that was cut short")

    async def _make_missing(self, kept: Sequence[Container], made: list[Container]) -> AsyncIterator[Event]:
        """The first of a release alone: where it does not get ready, the others need not try. Then side by side."""
        missing = self._workload.replicas - len(kept)
        if missing > 0 and not kept:
            missing -= 1
            async for event in self._make(made):
                yield event
        async for event in together((self._make(made) for _ in range(missing)), limit=SIDE_BY_SIDE):
            yield event

    async def _make(self, made: list[Container]) -> AsyncIterator[Event]:
        item = None
        try:
            item = await self._making.create(self._payload)
            made.append(item)
            yield self._event("replica.created", item)
            await self._making.start(item)
            yield self._event("replica.started", item)
            yield self._event("replica.probing", item, _probed(self._workload))
            await self._probe(item)
        except Unreachable:
            raise
        except EcluseError as error:
            yield self._event("replica.failed", item, error.message)
            raise
        yield self._event("replica.ready", item)

    def _payload(
        self, found: Sequence[Container], place: payloads.Place, env: Mapping[str, str]
    ) -> tuple[str, payloads.Body]:
        """Of the first number that no replica of this process has."""
        subject = self._workload.subject
        numbers = {item.number for item in found if item.kind == "replica" and item.subject == subject}
        number = next(n for n in count(1) if n not in numbers)
        return payloads.replica(self._site, self._workload, number=number, place=place, env=env)

    async def _probe(self, item: Container) -> None:
        probe = Probe(
            item, self._workload, self._making.mask, client=self._client, containers=self._containers
        )
        await probe.wait_ready()

    async def _check_kept(self, kept: Sequence[Container]) -> None:
        """The gateway is about to ask replicas that stay another question: they must pass it first."""
        if self._traffic.asks_otherwise(self._workload):
            for item in kept:
                await self._probe(item)

    async def _admit(
        self, members: Sequence[Container], leaving: Sequence[Container], baseline: Baseline
    ) -> AsyncIterator[Event]:
        """Into traffic: at once, or beside the replicas of another release that are about to leave."""
        if self._workload.spec.port is None:
            return
        rivals = [
            server
            for item in leaving
            if item.is_running and item.box != self._workload.box.digest
            and (server := self._traffic.server(self._backend, item.name)) is not None
        ]  # fmt: skip
        servers = [Server(item.name, item.address, self._workload.spec.port) for item in members]
        if not servers or not rivals:
            await self._traffic.admit(self._home, self._workload, servers)
            return
        introduction = Introduction(
            self._traffic, self._home, self._workload, members=servers, old=rivals, baseline=baseline
        )
        try:
            async for event in introduction.execute():
                yield event
        except RolloutFailed as error:
            logs = await self._containers.last_lines(members[0].id, self._making.mask)
            raise RolloutFailed(replace(error.cause, logs=logs)) from error

    @property
    def _backend(self) -> str:
        return backend_name(self._workload)

    def _event(self, kind: EventKind, item: Container | None, message: str = "") -> Event:
        return Event(kind, self._workload.subject, message, replica=item.name if item else None)


def _probed(workload: Workload) -> str:
    probe = workload.spec.probe
    if probe.command:
        return "by its command"
    if workload.spec.port is None:
        return "it should go on running"
    return f"GET {probe.path} on port {workload.spec.port}" if probe.path else f"port {workload.spec.port}"
