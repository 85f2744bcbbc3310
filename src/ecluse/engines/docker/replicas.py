"""The replicas of a service: found by what they are of, or missed, with the nearest name of those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.labels import Container, Site
from ecluse.errors import NotFound, nearest


class Replicas:
    """Those of one environment. process None: of every process of the service."""

    def __init__(self, site: Site, containers: Containers) -> None:
        self._site = site
        self._containers = containers

    async def of(self, service: str, process: str | None = None) -> list[Container]:
        more = {"process": process} if process else {}
        return await self._containers.find(self._site.marks, kind="replica", service=str(service), **more)

    async def one_running(self, service: str, process: str | None = None) -> Container:
        """The one for a person's command: of `web` where no process is named. NotFound where none runs."""
        running = [item for item in await self.of(service, process) if item.is_running]
        if not running:
            others = [item for item in await self._all() if item.is_running]
            raise self._missed("no running replica of", service, process, others)
        return next((item for item in running if item.process == "web"), running[0])

    async def some(self, service: str, process: str | None = None) -> list[Container]:
        """Those of the service, running or not. NotFound where there is none."""
        found = await self.of(service, process)
        if not found:
            raise self._missed("nothing of", service, process, await self._all())
        return found

    async def newest(self, service: str) -> tuple[Container, dict[str, Any]] | None:
        """The one that was made last, and what Docker says of it."""
        found = await self._containers.inspect_all(await self.of(service))
        return max(found, key=lambda pair: str(pair[1]["Created"]), default=None)

    async def _all(self) -> list[Container]:
        return await self._containers.find(self._site.marks, kind="replica")

    def _missed(self, what: str, service: str, process: str | None, others: Sequence[Container]) -> NotFound:
        wanted, target = f"{service}/{process}" if process else str(service), self._site.target
        names = {item.subject if process else item.service for item in others}
        return NotFound(
            f"{what} {wanted} is in {target.environment} of {target.product}",
            hint=nearest(wanted, names) or "nothing runs there: `ecluse deploy` changes that",
        )
