"""A debugging session: another image beside a running replica, in its network and processes, with its box."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from ecluse.engines.docker import holding, labels, payloads, terminal
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.labels import Container, Site
from ecluse.errors import EngineError
from ecluse.model.workload import Box


class Debug:
    """The sessions of an environment. The container of one is removed whatever happens: at its end, or, where its
    process was killed, before the next session or deployment."""

    def __init__(self, site: Site, *, client: Client, containers: Containers, dressing: Dressing) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._dressing = dressing

    async def join(
        self, beside: Container, box: Box, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        """Runs `command` in `image`; gives its exit code."""
        await self.tidy()
        name, body = payloads.debug(
            self._site,
            beside,
            image=image,
            env=self._dressing.env(box),
            mark=uuid4().hex[:8],
            holder=holding.this_process(),
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

    async def tidy(self) -> None:
        """Removes what sessions left whose process is gone."""
        for item in await self._containers.find(self._site.marks, kind="run", run="debug"):
            if holding.is_gone(item.labels.get(labels.HOLDER, "")):
                await self._containers.remove(item.id)
