"""Commands that run to their end: one container each, found again by its key after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ecluse.engines.docker import endings, payloads
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.making import Making
from ecluse.engines.docker.output import Lines, Mask
from ecluse.engines.docker.surroundings import explained
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.workload import Box, Run

END_SECONDS = 30.0


class Runs:
    """The runs of one environment."""

    def __init__(
        self,
        site: Site,
        *,
        client: Client,
        containers: Containers,
        making: Callable[[str, Box, Network], Making],
    ) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._making = making

    async def execute(self, network: Network, run: Run) -> AsyncIterator[Event]:
        """Runs the command, or joins it where an earlier process of ours left it."""
        subject = f"{run.service}/{run.name}"
        making = self._making(subject, run.box, network)
        mask, item = making.mask, await self._left(run)
        if item is None:
            item = await self._create(making, run)
        else:
            yield Event("note", subject, "found running, or ended: its end counts")
        try:
            async for text in within(self._output(item), run.timeout):
                yield Event("output", subject, mask.hide(text), replica=item.name)
        except TimeoutError as error:
            failure = await self._overdue(item, run, subject, mask)
            raise await explained(failure, self._site, self._containers, run.box) from error
        except asyncio.CancelledError:
            await self._containers.end(item.id, grace=payloads.RUN_GRACE_SECONDS)
            raise
        try:
            await self._conclude(item, subject, mask)
        except RolloutFailed as error:
            raise await explained(error, self._site, self._containers, run.box) from error

    async def tidy(self, run: Run) -> None:
        for item in await self._all(run):
            await self._containers.remove(item.id)

    async def _left(self, run: Run) -> Container | None:
        """The container of the same key, if it ever started."""
        for item in await self._all(run):
            if item.status != "created":
                return item
            await self._containers.remove(item.id)
        return None

    async def _all(self, run: Run) -> list[Container]:
        return await self._containers.find(
            self._site.marks, kind="run", service=str(run.service), run=run.name, key=run.key
        )

    async def _create(self, making: Making, run: Run) -> Container:
        item = await making.create(lambda _, place, env: payloads.run(self._site, run, place=place, env=env))
        try:
            await making.start(item)
        except EcluseError:
            await self._containers.remove(item.id)
            raise
        return item

    async def _output(self, item: Container) -> AsyncIterator[str]:
        lines = Lines()
        async with self._client.request(
            "GET",
            f"containers/{item.id}/logs",
            what="read the output of a command",
            params={"stdout": True, "stderr": True, "follow": True},
            seconds=None,
        ) as response:
            async for data in response.content.iter_any():
                for _, text in lines.feed(data):
                    yield text
        for _, text in lines.rest():
            yield text
        # the stream may end a moment before Docker has the exit code
        await self._containers.wait(item.id, seconds=END_SECONDS)

    async def _conclude(self, item: Container, subject: str, mask: Mask) -> None:
        state = (await self._containers.inspect(item.id))["State"]
        logs = await self._containers.last_lines(item.id, mask)
        if int(state["ExitCode"]) != 0:
            raise RolloutFailed(endings.task_failed(subject, state, logs))

    async def _overdue(self, item: Container, run: Run, subject: str, mask: Mask) -> RolloutFailed:
        logs = await self._containers.last_lines(item.id, mask)
        await self._containers.stop(item.id, grace=payloads.RUN_GRACE_SECONDS)
        return RolloutFailed(endings.overdue(subject, run.timeout, logs))


async def within(texts: AsyncIterator[str], seconds: float) -> AsyncIterator[str]:
    """Gives what comes, and a TimeoutError when it has not ended in time. Who reads is never interrupted."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                text = await anext(texts)
        except StopAsyncIteration:
            return
        yield text
