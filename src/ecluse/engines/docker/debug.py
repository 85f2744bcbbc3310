"""A debugging session: another image beside a running replica, in its network and processes, with its box."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from ecluse.engines.docker import payloads, terminal
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.labels import Container, Site
from ecluse.errors import EngineError
from ecluse.model.workload import Box


class Debug:
    """One session; its container is removed whatever happens."""

    def __init__(self, site: Site, *, client: Client, containers: Containers, dressing: Dressing) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._dressing = dressing

    async def join(
        self, beside: Container, box: Box, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        """Runs `command` in `image`; gives its exit code."""
        name, body = payloads.debug(
            self._site, beside, image=image, env=self._dressing.env(box), mark=uuid4().hex[:8]
        )
        try:
            identity = await self._containers.create(name, body)
        except ApiError as error:
            if error.status != 404:
                raise
            raise EngineError(
                f"the image {image} of the tests is not on this machine",
                hint=f"ecluse build {beside.service}",
            ) from error
        try:
            await self._dressing.put(identity, box.files)
            await self._containers.start(identity, name=name)
            return await terminal.join(self._client, identity, command, tty=tty)
        finally:
            await self._containers.remove(identity)
