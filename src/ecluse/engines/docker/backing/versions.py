"""Another version of a backing service: its data goes to a new volume, and the old one is left as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ecluse.engines.docker import payloads
from ecluse.engines.docker.backing.backing import Backing
from ecluse.engines.docker.backing.copies import Copies
from ecluse.engines.docker.backing.images import Images
from ecluse.engines.docker.backing.trials import Trials
from ecluse.engines.docker.backing.volumes import Volumes
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.reach import networks_of
from ecluse.errors import EngineError
from ecluse.model.application import BackingService
from ecluse.model.event import Event
from ecluse.ports import Copy, Draft


class Versions:
    """The changes of version in one environment."""

    def __init__(
        self,
        *,
        containers: Containers,
        ground: Ground,
        backing: Backing,
        images: Images,
        trials: Trials,
        volumes: Volumes,
    ) -> None:
        self._containers = containers
        self._ground = ground
        self._backing = backing
        self._images = images
        self._trials = trials
        self._volumes = volumes

    async def change(
        self,
        network: Network,
        before: BackingService,
        after: BackingService,
        draft: Draft,
        keep: Callable[[], Copy],
    ) -> AsyncIterator[Event]:
        """The data goes to a new volume under the new version, while nobody can write."""
        if not self._volumes.is_switched(after.name, after.version):
            async for event in self._move(before, after, draft, keep):
                yield event
        async for event in self._backing.provide(network, after):
            yield event
        self._volumes.settle(after.name)

    async def _move(
        self, before: BackingService, after: BackingService, draft: Draft, keep: Callable[[], Copy]
    ) -> AsyncIterator[Event]:
        name = after.name
        async for event in self._images.find(after):
            yield event
        yield Event("backing", name, "closing it to its clients")
        old = await self._backing.running(before)
        await self._seclude(old.item)
        source = old.copies
        await source.wait_up()
        async for event in source.dump(draft):
            yield event
        copy = await asyncio.to_thread(keep)
        volume = await self._volumes.begin(name, after.version)
        async for event in self._fill(after, copy, volume, source):
            yield event
        kept = self._volumes.volume(name)
        # before the old server goes: without it, and without this, nobody could go on from here
        self._volumes.switch(name, volume, after.version, before=before.version)
        await self._containers.end(old.item.id, grace=payloads.BACKING_GRACE_SECONDS)
        yield Event("backing", name, f"{after.version} has the data; the volume {kept} is left as it was")

    async def _seclude(self, item: Container) -> None:
        """Ends its connections, then runs it where only we reach it."""
        joined = networks_of(await self._containers.inspect(item.id))
        if joined:
            await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
            for network in joined:
                await self._ground.leave(network, item.id)
        await self._containers.start(item.id, name=item.name)

    async def _fill(
        self, after: BackingService, copy: Copy, volume: str, source: Copies
    ) -> AsyncIterator[Event]:
        """Loads a copy into a new volume, by a server that reaches nobody; all that was there must be there."""
        async with self._trials.open(after, volume=volume) as server:
            async for event in server.copies.load(copy):
                yield event
            parts = [part.database for part in copy.manifest.parts]
            here, there = await server.copies.count(parts), await source.count(parts)
            if here != there:
                raise EngineError(f"{after.name} {after.version} has {here} where there was {there}")
            await self._containers.stop(server.item.id, grace=payloads.BACKING_GRACE_SECONDS)
