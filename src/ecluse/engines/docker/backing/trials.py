"""Servers of backing services that reach nobody and are removed at the end: what a copy is tried in, or loaded with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ecluse.engines.docker import payloads
from ecluse.engines.docker.backing import dumps
from ecluse.engines.docker.backing.databases import RECIPES
from ecluse.engines.docker.backing.images import Images
from ecluse.engines.docker.backing.server import BackingServer
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.labels import Container, Site
from ecluse.model.application import BackingService
from ecluse.model.event import Event
from ecluse.ports import Copy


class Trials:
    """Those of one environment."""

    def __init__(
        self, site: Site, *, client: Client, containers: Containers, dressing: Dressing, images: Images
    ) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._dressing = dressing
        self._images = images

    async def rehearse(self, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        """Loads a copy, and counts what is there then."""
        yield Event("backing", backing.name, "starting one that reaches nobody")
        async with self.open(backing) as server:
            async for event in server.copies.load(copy):
                yield event
            counts = await server.copies.count([part.database for part in copy.manifest.parts])
            what = dumps.what_is_counted(backing.kind, counts)
            yield Event("backing", backing.name, f"opens: {what}", data=counts)

    @asynccontextmanager
    async def open(
        self, backing: BackingService, *, volume: str | None = None
    ) -> AsyncIterator[BackingServer]:
        """One that is up, with the accounts; on this volume, or on none."""
        await self._remove(backing)
        try:
            server = await self._start(backing, volume)
            await server.copies.wait_up()
            if backing.kind != "redis":
                await server.give_accounts()
            yield server
        finally:
            await self._remove(backing)

    async def _start(self, backing: BackingService, volume: str | None) -> BackingServer:
        recipe, marks = RECIPES[backing.kind], self._site.labels("trial", backing=backing.name)
        body = payloads.trial(
            await self._images.name(backing),
            marks,
            command=recipe.command,
            env=recipe.env,
            cpu=backing.cpu,
            memory=backing.memory,
            mounts={volume: recipe.data} if volume else {},
        )
        name = self._site.trial(backing.name)
        item = Container(await self._containers.create(name, body), name, "created", marks)
        server = BackingServer(
            backing, item, client=self._client, containers=self._containers, dressing=self._dressing
        )
        await server.put_files()
        await self._containers.start(item.id, name=name)
        return server

    async def _remove(self, backing: BackingService) -> None:
        for item in await self._containers.find(self._site.marks, kind="trial", backing=backing.name):
            await self._containers.remove(item.id)
