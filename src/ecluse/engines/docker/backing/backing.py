"""The backing services of an environment: a container and a volume each, with an account for every client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from ecluse.engines.docker import addresses, labels, payloads
from ecluse.engines.docker.backing import databases
from ecluse.engines.docker.backing.databases import RECIPES
from ecluse.engines.docker.backing.images import Images
from ecluse.engines.docker.backing.server import BackingServer
from ecluse.engines.docker.backing.volumes import Volumes
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.files import private_folder, read, remove_folder, write_whole
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.health import moment
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.reach import Reach
from ecluse.errors import EngineError
from ecluse.model.application import BackingService, Passwords
from ecluse.model.event import Event
from ecluse.model.observed import BackingState
from ecluse.ports import Copy, Draft


class Backing:
    """Makes them, keeps them as they should be, and tells what there is."""

    def __init__(
        self,
        site: Site,
        *,
        state: Path,
        client: Client,
        containers: Containers,
        ground: Ground,
        reach: Reach,
        dressing: Dressing,
        images: Images,
        volumes: Volumes,
    ) -> None:
        self._site = site
        self._folder = state / "backing" / str(site.target.environment)
        self._client = client
        self._containers = containers
        self._ground = ground
        self._reach = reach
        self._dressing = dressing
        self._images = images
        self._volumes = volumes

    async def provide(self, network: Network, backing: BackingService) -> AsyncIterator[Event]:
        if problem := databases.version_problem(backing):
            raise EngineError(
                problem, hint=f"available: {databases.available()}; or name an `image` of your own"
            )
        self._volumes.go_back(backing.name, backing.version)
        async for event in self._images.find(backing):
            yield event
        image = await self._images.name(backing)
        server = await self._current(backing, image)
        if server is None:
            yield Event("backing", backing.name, f"starting {backing.kind} {backing.version}")
            server = await self._create(network, backing, image)
        await self._open(network, server.item, backing)
        if await server.is_locked():
            yield Event("backing", backing.name, "takes no password of ours: starting it again with new ones")
            await server.put_files()
            await self._containers.stop(server.item.id, grace=payloads.BACKING_GRACE_SECONDS)
            await self._containers.start(server.item.id, name=server.item.name)
        await server.wait_ready()
        await server.give_accounts()
        self._note_accounts(backing)
        yield Event("backing", backing.name, f"ready, with {len(backing.accounts)} accounts")

    async def passwords(self, backing: BackingService) -> Passwords:
        """What its container can tell."""
        for item in await self._found(backing.name):
            files = databases.password_files(backing.kind)
            read = {path: await self._containers.read(item.id, path) for path in files}
            return databases.passwords_in(backing.kind, read)
        return Passwords()

    async def dump(self, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        async for event in (await self.running(backing)).copies.dump(draft):
            yield event

    async def load(self, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        server = await self.running(backing)
        # one that was stopped in the middle, or is loading still
        await server.copies.wait_up()
        async for event in server.copies.load(copy):
            yield event
        # accounts and rights of this environment, whatever the copy brought
        await server.give_accounts()
        yield Event("backing", backing.name, "brought back")

    async def running(self, backing: BackingService) -> BackingServer:
        """Its server, started where it is not running."""
        for item in await self._found(backing.name):
            await self._learn(backing.name, item)
            if not item.is_running:
                await self._containers.start(item.id, name=item.name)
            return self._server(backing, item)
        raise EngineError(
            f"{backing.name} does not run in {self._site.target.environment}",
            hint=f"ecluse deploy {self._site.target.environment}",
        )

    async def withdraw(self, name: str) -> AsyncIterator[Event]:
        for item in await self._found(name):
            await self._learn(name, item)
            await self._containers.end(item.id, grace=payloads.BACKING_GRACE_SECONDS)
            yield Event("backing", name, "stopped; its volume stays")
        self._accounts_file(name).unlink(missing_ok=True)

    async def observe(self) -> tuple[BackingState, ...]:
        listed = await self._containers.find(self._site.marks, kind="backing")
        return tuple(self._state(*pair) for pair in await self._containers.inspect_all(listed))

    def forget(self) -> None:
        """Removes the records of an environment that is gone."""
        remove_folder(self._folder)

    async def _found(self, name: str) -> list[Container]:
        return await self._containers.find(self._site.marks, kind="backing", backing=name)

    def _server(self, backing: BackingService, item: Container) -> BackingServer:
        return BackingServer(
            backing, item, client=self._client, containers=self._containers, dressing=self._dressing
        )

    async def _current(self, backing: BackingService, image: str) -> BackingServer | None:
        """The one that is as it should be, running; others of that name are removed."""
        for item in await self._found(backing.name):
            is_same = databases.is_made_so(item.labels.get(labels.SPEC), backing, image)
            if is_same and item.status != "created":
                if not item.is_running:
                    await self._containers.start(item.id, name=item.name)
                return self._server(backing, item)
            await self._learn(backing.name, item)
            # data of another version is refused before its own server is stopped
            await self._volumes.ensure(backing.name, backing.version)
            await self._containers.end(item.id, grace=payloads.BACKING_GRACE_SECONDS)
        return None

    async def _learn(self, name: str, item: Container) -> None:
        """Which volume counts is in the state directory; where that was lost, the container knows it."""
        mounts = (await self._containers.inspect(item.id)).get("Mounts") or ()
        volume = next((mount["Name"] for mount in mounts if mount.get("Type") == "volume"), None)
        if volume is not None:
            self._volumes.learn(name, volume, item.labels.get(labels.VERSION, ""))

    async def _create(self, network: Network, backing: BackingService, image: str) -> BackingServer:
        recipe = RECIPES[backing.kind]
        volume, offset = await self._volumes.ensure(backing.name, backing.version)
        address = addresses.at(network.subnet, offset)
        marks = self._site.labels(
            "backing",
            backing=backing.name,
            backing_kind=backing.kind,
            version=backing.version,
            spec=databases.spec(backing, image),
            address=address,
        )
        body = payloads.backing(
            image,
            marks,
            payloads.Place(network.name, address),
            command=recipe.command,
            env=recipe.env,
            mounts={volume: recipe.data},
            cpu=backing.cpu,
            memory=backing.memory,
        )
        identity, name = await self._ground.settle(
            self._site, network, lambda _, __: (self._site.backing(backing.name), body)
        )
        server = self._server(backing, Container(identity, name, "created", marks))
        await server.put_files()
        await self._containers.start(identity, name=name)
        return server

    async def _open(self, network: Network, item: Container, backing: BackingService) -> None:
        """To its clients; one that was closed while its version was to change, again."""
        await self._ground.join(network, item.id, item.address)
        await self._reach.join_clients(network, item, {str(client) for client in backing.accounts})

    def _accounts_file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _note_accounts(self, backing: BackingService) -> None:
        private_folder(self._folder)
        write_whole(self._accounts_file(backing.name), json.dumps(sorted(map(str, backing.accounts))))

    def _state(self, item: Container, inspected: Mapping[str, Any]) -> BackingState:
        name = item.backing
        accounts = read(self._accounts_file(name))
        status, is_known = inspected["State"]["Status"], accounts is not None
        return BackingState(
            id=item.id,
            name=name,
            kind=item.labels.get(labels.BACKING_KIND, ""),
            version=item.labels.get(labels.VERSION, ""),
            spec=item.labels.get(labels.SPEC, ""),
            state="exited" if status != "running" else "ready" if is_known else "starting",
            accounts=tuple(json.loads(accounts)) if accounts else (),
            started=moment(inspected["State"].get("StartedAt")),
        )
