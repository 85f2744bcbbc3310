"""Brings back what Docker does not bring back by itself, in the order of what uses what. Talks to Docker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime

from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.routing import backend_name
from ecluse.engines.docker.gateway.servers import Standings
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.stranded import never_started, stranded
from ecluse.errors import EngineError
from ecluse.model.application import Application
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed

ORDER = ("backing", "gateway", "replica", "edge")


class Recovery:
    """One look at one environment. Where all is well it costs two questions."""

    def __init__(self, containers: Containers, observe: Callable[[], Awaitable[Observed]]) -> None:
        self._containers = containers
        self._observe = observe

    async def execute(
        self,
        found: Iterable[Container],
        standings: Standings,
        applications: Mapping[ServiceName, Application],
    ) -> AsyncIterator[Event]:
        """found: what is here of the environment, and the edge. EngineError when something does not start again."""
        listed = list(found)
        async for event in self._start(item for item in listed if item.status == "exited"):
            yield event
        if any(_is_down(item, standings) for item in listed):
            async for event in self._start_again(applications):
                yield event

    async def _start(self, ended: Iterable[Container]) -> AsyncIterator[Event]:
        problem: EngineError | None = None
        kept = [item for item in ended if item.kind in ORDER]
        for item, inspected in await self._containers.inspect_all(
            sorted(kept, key=lambda item: ORDER.index(item.kind))
        ):
            if not never_started(inspected):
                continue
            try:
                await self._containers.start(item.id, name=item.name)
            except EngineError as error:
                problem = problem or error
            else:
                yield Event("note", message=f"started {item.name}, which Docker could not start")
        if problem is not None:
            raise problem

    async def _start_again(self, applications: Mapping[ServiceName, Application]) -> AsyncIterator[Event]:
        """All that have what they need now; what needs them comes in a later look."""
        observed = await self._observe()
        for replica in stranded(observed, applications, datetime.now(UTC)):
            process = applications[replica.service].processes[replica.process]
            await self._containers.restart(replica.id, grace=process.stop_grace)
            yield Event(
                "note",
                f"{replica.service}/{replica.process}",
                f"started {replica.name} again: it began before what it uses, and was not well",
            )


def _is_down(item: Container, standings: Standings) -> bool:
    standing = standings.get((backend_name(item), item.name))
    return item.is_running and standing is not None and standing.status.startswith("DOWN")
