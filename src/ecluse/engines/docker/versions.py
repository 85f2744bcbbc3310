"""Another version of a backing service: its data goes to a new volume, and the old one is left. Talks to Docker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ecluse.engines.docker import payloads
from ecluse.engines.docker.backing import Backing
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.copies import Copies
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.reach import networks_of
from ecluse.engines.docker.volumes import Volumes
from ecluse.errors import EngineError
from ecluse.model.application import BackingService
from ecluse.model.event import Event
from ecluse.ports import Copy, Draft


class Versions:
    """The changes of version in one environment."""

    def __init__(
        self, site: Site, *, client: Client, containers: Containers, backing: Backing, volumes: Volumes
    ) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._backing = backing
        self._volumes = volumes

    async def change(
        self,
        network: Network,
        before: BackingService,
        after: BackingService,
        draft: Draft,
        keep: Callable[[], Copy],
    ) -> AsyncIterator[Event]:
        """The data goes to a new volume under the new version, while nobody can write; the old volume is left."""
        name = after.name
        if not self._volumes.is_switched(name, after.version):
            async for event in self._backing.find_image(after):
                yield event
            yield Event("backing", name, "closing it to its clients")
            old = await self._seclude(await self._backing.running(before))
            source = self._backing.copies(before, old)
            await source.wait_up()
            async for event in source.dump(draft):
                yield event
            copy = await asyncio.to_thread(keep)
            volume = await self._volumes.begin(name, after.version)
            async for event in self._fill(after, copy, volume, source):
                yield event
            for item in await self._containers.find(self._site.marks, kind="backing", backing=name):
                await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
                await self._containers.remove(item.id)
            kept = self._volumes.volume(name)
            self._volumes.switch(name, volume, after.version, before=before.version)
            yield Event("backing", name, f"{after.version} has the data; the volume {kept} is left as it was")
        async for event in self._backing.provide(network, after):
            yield event
        self._volumes.settle(name)

    async def _seclude(self, item: Container) -> Container:
        """Ends its connections, then runs it where only we reach it."""
        joined = networks_of(await self._containers.inspect(item.id))
        if joined:
            await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
            for network in joined:
                body = payloads.leaving(item.id)
                what = f"take {item.name} off a network"
                await self._client.call("POST", f"networks/{network}/disconnect", what=what, body=body)
        await self._containers.start(item.id, name=item.name)
        return item

    async def _fill(
        self, after: BackingService, copy: Copy, volume: str, source: Copies
    ) -> AsyncIterator[Event]:
        """Loads a copy into a new volume, by a server that reaches nobody; all that was there must be there."""
        async with self._backing.trial(after, volume=volume) as (item, copies):
            async for event in copies.load(copy):
                yield event
            parts = [part.database for part in copy.manifest.parts]
            here, there = await copies.count(parts), await source.count(parts)
            if here != there:
                raise EngineError(f"{after.name} {after.version} has {here} where there was {there}")
            await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
