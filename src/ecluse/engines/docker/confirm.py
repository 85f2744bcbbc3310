"""The last look at what a deployment made: does every replica still run, without having ended in between?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ecluse.engines.docker import endings, health
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.gateway.routing import backend_name
from ecluse.engines.docker.gateway.servers import Servers
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.probe import Probe
from ecluse.engines.docker.replicas import Replicas
from ecluse.engines.docker.surroundings import explained
from ecluse.model.application import BackingService
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.workload import Workload

LEAST_SECONDS = 5.0
"""How long a replica must have run that nobody can ask whether it is well."""
_POLL_SECONDS = 0.25


class Confirmation:
    """One look at one environment. `since`: when the deployment began."""

    def __init__(
        self,
        site: Site,
        *,
        since: datetime,
        client: Client,
        containers: Containers,
        servers: Servers,
        dressing: Dressing,
    ) -> None:
        self._site = site
        self._since = since
        self._client = client
        self._containers = containers
        self._servers = servers
        self._dressing = dressing

    async def execute(
        self, workloads: Sequence[Workload], backing: Sequence[BackingService]
    ) -> AsyncIterator[Event]:
        """Looks at all of them at once; raises the first failure in the order given."""
        looks = [self._workload(item) for item in workloads]
        results = await asyncio.gather(*looks, return_exceptions=True)
        for found in results:
            if isinstance(found, BaseException):
                raise found
        for service in backing:
            await self._backing(service)
        for item in workloads:
            yield Event("note", item.subject, "still well")

    async def _workload(self, workload: Workload) -> None:
        replicas = await self._replicas(workload)
        if len(replicas) < workload.replicas:
            raise RolloutFailed(endings.vanished(workload.subject, len(replicas), workload.replicas))
        await asyncio.gather(*(self._replica(workload, *pair) for pair in replicas))
        if workload.spec.port is not None:
            await self._traffic(workload, [item for item, _ in replicas])

    async def _replicas(self, workload: Workload) -> list[tuple[Container, dict[str, Any]]]:
        listed = await Replicas(self._site, self._containers).of(workload.service, workload.process)
        wanted = [item for item in listed if item.box == workload.box.digest]
        return await self._containers.inspect_all(wanted)

    async def _replica(self, workload: Workload, item: Container, inspected: Mapping[str, Any]) -> None:
        """Waits until one that cannot be asked has run long enough; none may have ended since it was made."""
        is_mute = workload.spec.port is None and not workload.spec.probe.command
        while True:
            await self._refuse_ended(workload, item, inspected)
            if not is_mute or _age(inspected) >= LEAST_SECONDS:
                return
            await asyncio.sleep(_POLL_SECONDS)
            inspected = await self._containers.inspect(item.id)

    async def _refuse_ended(self, workload: Workload, item: Container, inspected: Mapping[str, Any]) -> None:
        is_running = inspected["State"]["Status"] == "running"
        if is_running and not int(inspected.get("RestartCount") or 0):
            return
        deaths = await self._containers.deaths(item.id, since=self._since.timestamp())
        if is_running and not deaths:
            return
        logs = await self._containers.last_lines(item.id, self._dressing.mask(workload.box))
        failure = RolloutFailed(endings.ended_later(workload.subject, inspected, deaths, logs))
        raise await explained(failure, self._site, self._containers, workload.box)

    async def _traffic(self, workload: Workload, members: Sequence[Container]) -> None:
        """What the gateway holds for dead is asked once more by ourselves."""
        standings = await self._servers.standings()
        for item in members:
            standing = standings.get((backend_name(workload), item.name))
            if standing is not None and standing.status.startswith("DOWN"):
                mask = self._dressing.mask(workload.box)
                probe = Probe(item, workload, mask, client=self._client, containers=self._containers)
                await probe.wait_ready()

    async def _backing(self, service: BackingService) -> None:
        found = await self._containers.find(self._site.marks, kind="backing", backing=service.name)
        if not found:
            raise RolloutFailed(endings.vanished(service.name, 0, 1))
        if not found[0].is_running:
            inspected = await self._containers.inspect(found[0].id)
            logs = await self._containers.last_lines(found[0].id, self._dressing.mask_backing(service))
            raise RolloutFailed(endings.ended_later(service.name, inspected, [], logs))


def _age(inspected: Mapping[str, Any]) -> float:
    started = health.moment(inspected["State"].get("StartedAt"))
    return (datetime.now(UTC) - started).total_seconds() if started else 0.0
