"""Backing services: a container and a volume each, with an account for every client. Talks to Docker."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ecluse.engines.docker import addresses, databases, dumps, labels, payloads, resp
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.copies import Copies
from ecluse.engines.docker.databases import RECIPES, Account, Recipe
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.files import private_folder, read, write_whole
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.health import ended, moment
from ecluse.engines.docker.house import House
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.output import Mask
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.symptoms import at_the_start
from ecluse.engines.docker.volumes import Volumes
from ecluse.errors import EngineError
from ecluse.model.application import BackingService, File, login_name
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.observed import BackingState
from ecluse.ports import Copy, Draft

READY_SECONDS = 120.0
_POLL_SECONDS = 0.25
_STATEMENT_SECONDS = 60.0


class Backing:
    """The backing services of one environment."""

    def __init__(
        self,
        site: Site,
        *,
        state: Path,
        client: Client,
        containers: Containers,
        ground: Ground,
        house: House,
        reach: Reach,
        dressing: Dressing,
    ) -> None:
        self._site = site
        self._folder = state / "backing" / str(site.target.environment)
        self._volumes = Volumes(site, state=state, client=client, ground=ground)
        self._client = client
        self._containers = containers
        self._ground = ground
        self._house = house
        self._reach = reach
        self._dressing = dressing

    async def provide(self, network: Network, backing: BackingService) -> AsyncIterator[Event]:
        if problem := databases.version_problem(backing):
            raise EngineError(
                problem, hint=f"available: {databases.available()}; or name an `image` of your own"
            )
        recipe = RECIPES[backing.kind]
        self._volumes.go_back(backing.name, backing.version)
        async for event in self.find_image(backing):
            yield event
        image = backing.image or await self._house.ensure(recipe.image, backing.version)
        item = await self._current(backing, image)
        if item is None:
            yield Event("backing", backing.name, f"starting {backing.kind} {backing.version}")
            item = await self._create(network, backing, recipe, image)
        # one that was closed to its clients, while its version was to change, is opened again
        await self._ground.join(network, item.id, item.address)
        await self._reach.join_clients(network, item, {str(client) for client in backing.accounts})
        secrets = self._secrets(backing)
        await self._wait_ready(item, backing, recipe, secrets)
        await self._give_accounts(item, backing, recipe, secrets)
        private_folder(self._folder)
        write_whole(self._folder / f"{backing.name}.json", json.dumps(sorted(map(str, backing.accounts))))
        yield Event("backing", backing.name, f"ready, with {len(backing.accounts)} accounts")

    async def dump(self, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        async for event in self.copies(backing, await self.running(backing)).dump(draft):
            yield event

    async def load(self, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        item = await self.running(backing)
        copies = self.copies(backing, item)
        # one that was stopped in the middle, or is loading still
        await copies.wait_up()
        async for event in copies.load(copy):
            yield event
        # accounts and rights of this environment, whatever the copy brought
        await self._give_accounts(item, backing, RECIPES[backing.kind], self._secrets(backing))
        yield Event("backing", backing.name, "brought back")

    async def rehearse(self, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        yield Event("backing", backing.name, "starting one that reaches nobody")
        async with self.trial(backing) as (_, copies):
            async for event in copies.load(copy):
                yield event
            counts = await copies.count([part.database for part in copy.manifest.parts])
            what = dumps.what_is_counted(backing.kind, counts)
            yield Event("backing", backing.name, f"opens: {what}", data=counts)

    @asynccontextmanager
    async def trial(
        self, backing: BackingService, *, volume: str | None = None
    ) -> AsyncIterator[tuple[Container, Copies]]:
        """A server that reaches nobody, up, with the accounts; on this volume, or on none. It is removed at the end."""
        recipe = RECIPES[backing.kind]
        await self._remove_trials(backing)
        try:
            image = backing.image or await self._house.ensure(recipe.image, backing.version)
            item = await self._start_trial(backing, recipe, image, volume=volume)
            copies = self.copies(backing, item)
            await copies.wait_up()
            if backing.kind != "redis":
                await self._give_accounts(item, backing, recipe, self._secrets(backing))
            yield item, copies
        finally:
            await self._remove_trials(backing)

    async def running(self, backing: BackingService) -> Container:
        """Its container, started where it is not running."""
        for item in await self._containers.find(self._site.marks, kind="backing", backing=backing.name):
            if not item.is_running:
                await self._containers.start(item.id, name=item.name)
            return item
        raise EngineError(
            f"{backing.name} does not run in {self._site.target.environment}",
            hint=f"ecluse deploy {self._site.target.environment}",
        )

    def copies(self, backing: BackingService, item: Container) -> Copies:
        root, secrets = self._passwords(backing)[0], self._secrets(backing)
        return Copies(backing, item, root=root, secrets=secrets, client=self._client)

    async def _start_trial(
        self, backing: BackingService, recipe: Recipe, image: str, *, volume: str | None = None
    ) -> Container:
        marks = self._site.labels("trial", backing=backing.name)
        body = payloads.trial(
            image,
            marks,
            command=recipe.command,
            env=recipe.env,
            cpu=backing.cpu,
            memory=backing.memory,
        )
        if volume is not None:
            body["HostConfig"]["Mounts"] = [{"Type": "volume", "Source": volume, "Target": recipe.data}]
        name = self._site.trial(backing.name)
        identity = await self._containers.create(name, body)
        await self._put_files(identity, backing, recipe)
        await self._containers.start(identity, name=name)
        return Container(identity, name, "running", marks)

    async def _remove_trials(self, backing: BackingService) -> None:
        for item in await self._containers.find(self._site.marks, kind="trial", backing=backing.name):
            await self._containers.remove(item.id)

    async def withdraw(self, name: str) -> AsyncIterator[Event]:
        for item in await self._containers.find(self._site.marks, kind="backing", backing=name):
            await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
            await self._containers.remove(item.id)
            yield Event("backing", name, "stopped; its volume stays")
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    async def observe(self) -> tuple[BackingState, ...]:
        listed = await self._containers.find(self._site.marks, kind="backing")
        return tuple(self._state(*pair) for pair in await self._containers.inspect_all(listed))

    async def volumes(self) -> tuple[str, ...]:
        return tuple(sorted(await self._volumes.list()))

    async def remove_volume(self, name: str) -> None:
        await self._volumes.remove(name)

    def forget(self) -> None:
        """Removes the records of an environment that is gone."""
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)
        if self._folder.is_dir():
            self._folder.rmdir()

    async def find_image(self, backing: BackingService) -> AsyncIterator[Event]:
        """RolloutFailed where the image is of somebody else, and not here."""
        recipe = RECIPES[backing.kind]
        if backing.image is None:
            if not await self._house.has(recipe.image, backing.version):
                yield Event(
                    "backing", backing.name, f"building the image of {recipe.image} {backing.version}"
                )
        elif not await self._house.has_image(backing.image):
            sentence = f"the image of {backing.name} is not on this machine: {backing.image}"
            raise RolloutFailed(
                Cause(
                    "image-missing",
                    backing.name,
                    sentence,
                    (f"{backing.image}: not among the images of this machine",),
                    hint=f"docker pull {backing.image}",
                )
            )

    async def _current(self, backing: BackingService, image: str) -> Container | None:
        """The container that is as it should be, running; others of that name are removed."""
        wanted = databases.spec(backing, image)
        for item in await self._containers.find(self._site.marks, kind="backing", backing=backing.name):
            if item.labels.get(labels.SPEC) == wanted and item.status != "created":
                if not item.is_running:
                    await self._containers.start(item.id, name=item.name)
                return item
            # data of another version is refused before its own server is stopped
            await self._volumes.ensure(backing.name, backing.version)
            await self._containers.stop(item.id, grace=payloads.BACKING_GRACE_SECONDS)
            await self._containers.remove(item.id)
        return None

    async def _create(
        self, network: Network, backing: BackingService, recipe: Recipe, image: str
    ) -> Container:
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
            volume=volume,
            data=recipe.data,
            cpu=backing.cpu,
            memory=backing.memory,
        )
        identity, name = await self._ground.settle(
            self._site, network, lambda _, __: (self._site.backing(backing.name), body)
        )
        await self._put_files(identity, backing, recipe)
        await self._containers.start(identity, name=name)
        return Container(identity, name, "running", marks)

    async def _put_files(self, identity: str, backing: BackingService, recipe: Recipe) -> None:
        root, accounts = self._passwords(backing)
        found = databases.files(backing, root, accounts)
        files = [File(path, text, 0o400, recipe.user) for path, text in found.items()]
        await self._dressing.put(identity, files)

    async def _wait_ready(
        self, item: Container, backing: BackingService, recipe: Recipe, secrets: Mask
    ) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            inspected = await self._containers.inspect(item.id)
            if inspected["State"]["Status"] != "running":
                raise await self._failed(item, backing, inspected, secrets)
            problem = await self._problem(item, backing, recipe)
            if problem is None:
                return
            if time.monotonic() > deadline:
                raise await self._overdue(item, backing, secrets.hide(problem), secrets)
            await asyncio.sleep(_POLL_SECONDS)

    async def _problem(self, item: Container, backing: BackingService, recipe: Recipe) -> str | None:
        """Why it does not accept authenticated commands from outside yet, or None."""
        try:
            if backing.kind == "redis":
                await resp.ask(item.address, recipe.port, self._passwords(backing)[0], [["PING"]])
                return None
            await resp.knock(item.address, recipe.port)
            if backing.kind == "s3":
                return await self._said(item, dumps.is_up("s3"), recipe, "")
            done = await self._admin(item, recipe, "SELECT 1;\n")
        except (OSError, EngineError) as error:
            return str(error)
        return done.strip() or None

    async def _give_accounts(
        self, item: Container, backing: BackingService, recipe: Recipe, secrets: Mask
    ) -> None:
        root, accounts = self._passwords(backing)
        if backing.kind == "redis":
            # into the file for the next start, and into the server that runs
            await self._put_files(item.id, backing, recipe)
            rules = [
                ["ACL", "SETUSER", user[0], "resetpass", *user[1:]]
                for user in databases.redis_users(root, accounts, backing.version)
            ]
            await resp.ask(item.address, recipe.port, root, rules)
            return
        if backing.kind == "s3":
            # the proxy reads the file again when it changes
            await self._put_files(item.id, backing, recipe)
        problem = await self._admin(item, recipe, databases.statements(backing.kind, root, accounts))
        if problem:
            raise EngineError(f"{backing.name} refuses the accounts: {secrets.hide(problem)}")

    async def _admin(self, item: Container, recipe: Recipe, statements: str) -> str:
        """Runs statements as the administrator; what went wrong, or nothing."""
        return await self._said(item, recipe.admin, recipe, statements) or ""

    async def _said(
        self, item: Container, command: Sequence[str], recipe: Recipe, statements: str
    ) -> str | None:
        done = await self._client.execute(
            item.id,
            command,
            what=f"ask {item.name}",
            stdin=statements.encode(),
            user=recipe.user,
            seconds=_STATEMENT_SECONDS,
        )
        return (done.output or f"exit code {done.code}") if done.code else None

    def _passwords(self, backing: BackingService) -> tuple[str, list[Account]]:
        def account(client: ServiceName) -> Account:
            turn, former = backing.turn(client), backing.former.get(client)
            return Account(
                str(client),
                login_name(backing.kind, client, turn),
                login_name(backing.kind, client, turn + 1),
                self._dressing.text(backing.accounts[client]),
                None if former is None else self._dressing.text(former),
            )

        return self._dressing.text(backing.root_password), [
            account(name) for name in sorted(backing.accounts)
        ]

    def _secrets(self, backing: BackingService) -> Mask:
        return self._dressing.mask_of(
            [backing.root_password, *backing.accounts.values(), *backing.former.values()]
        )

    async def _failed(
        self, item: Container, backing: BackingService, inspected: Mapping[str, Any], secrets: Mask
    ) -> RolloutFailed:
        cause = ended(backing.name, inspected, await self._last_lines(item, secrets))
        return RolloutFailed(at_the_start(cause))

    async def _overdue(
        self, item: Container, backing: BackingService, problem: str, secrets: Mask
    ) -> RolloutFailed:
        sentence = f"{backing.name} did not accept commands within {READY_SECONDS:g} s"
        logs = await self._last_lines(item, secrets)
        return RolloutFailed(Cause("timeout", backing.name, sentence, (problem,), tuple(logs)))

    async def _last_lines(self, item: Container, secrets: Mask) -> Sequence[str]:
        return tuple(secrets.hide(line) for line in await self._containers.last_lines(item.id))

    def _state(self, item: Container, inspected: Mapping[str, Any]) -> BackingState:
        name = item.labels.get(labels.BACKING, "")
        accounts = read(self._folder / f"{name}.json")
        status = inspected["State"]["Status"]
        is_known = accounts is not None
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
