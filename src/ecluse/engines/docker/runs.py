"""Commands that run to their end: one container each, found again by its key after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from ecluse.engines.docker import addresses, health, labels, payloads
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.ground import Ground, Network, held
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.output import Lines, Mask
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.rollout import put_files
from ecluse.engines.docker.surroundings import explained
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.workload import Run

END_SECONDS = 30.0


class Runs:
    """The runs of one environment."""

    def __init__(
        self,
        site: Site,
        *,
        client: Client,
        containers: Containers,
        ground: Ground,
        reach: Reach,
        dressing: Dressing,
    ) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._ground = ground
        self._reach = reach
        self._dressing = dressing

    async def execute(self, network: Network, run: Run) -> AsyncIterator[Event]:
        """Runs the command, or joins it where an earlier process of ours left it."""
        subject, mask = f"{run.service}/{run.name}", self._dressing.mask(run.box)
        item = await self._left(run)
        if item is None:
            item = await self._create(network, run, subject, mask)
        else:
            yield Event("note", subject, "found running, or ended: its end counts")
        try:
            async for text in within(self._output(item), run.timeout):
                yield Event("output", subject, mask.hide(text), replica=item.name)
        except TimeoutError as error:
            failure = await self._overdue(item, run, subject, mask)
            raise await explained(failure, self._site, self._containers, run.box) from error
        except asyncio.CancelledError:
            await self._stop(item)
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

    async def _create(self, network: Network, run: Run, subject: str, mask: Mask) -> Container:
        hosts = await self._reach.names(network, run.box, subject=subject)
        env = self._dressing.env(run.box)

        def choose(found: Sequence[Container], network: Network) -> tuple[str, payloads.Body]:
            address = addresses.free_address(network.subnet, held(found), addresses.REPLICA_OFFSETS)
            return payloads.run(self._site, run, place=payloads.Place(network.name, address, hosts), env=env)

        identity = None
        try:
            identity, name = await self._ground.settle(self._site, network, choose)
            await put_files(self._dressing, identity, run.box, subject, mask)
            await self._containers.start(identity, name=name)
        except EcluseError as error:
            if identity is not None:
                await self._containers.remove(identity)
            if not isinstance(error, ApiError):
                raise
            raise RolloutFailed(
                health.refused(subject, run.box.release.image_id, mask.hide(error.reason))
            ) from error
        return Container(identity, name, "running", {labels.KIND: "run"})

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
        logs = [mask.hide(line) for line in await self._containers.last_lines(item.id)]
        if int(state["ExitCode"]) != 0:
            raise RolloutFailed(health.task_failed(subject, state, logs))

    async def _overdue(self, item: Container, run: Run, subject: str, mask: Mask) -> RolloutFailed:
        logs = [mask.hide(line) for line in await self._containers.last_lines(item.id)]
        await self._containers.stop(item.id, grace=payloads.RUN_GRACE_SECONDS)
        return RolloutFailed(health.overdue(subject, run.timeout, logs))

    async def _stop(self, item: Container) -> None:
        await self._containers.stop(item.id, grace=payloads.RUN_GRACE_SECONDS)
        await self._containers.remove(item.id)


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
