"""Copies of the data of a backing service: made, brought back and counted inside its container. Talks to Docker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress

from ecluse.engines.docker import payloads
from ecluse.engines.docker.backing import dumps
from ecluse.engines.docker.backing.databases import RECIPES
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.output import Mask
from ecluse.errors import EngineError
from ecluse.model.application import BackingService
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.event import Event
from ecluse.ports import Copy, Draft

DUMP_SECONDS = 6 * 3600.0
ASK_SECONDS = 120.0
UP_SECONDS = 300.0
_POLL_SECONDS = 0.25
_LAST_LINES = 12


class Copies:
    """The data inside one container of a backing service. root: its administrator's password."""

    def __init__(
        self, backing: BackingService, item: Container, *, root: str, secrets: Mask, client: Client
    ) -> None:
        self._backing = backing
        self._item = item
        self._root = root
        self._secrets = secrets
        self._client = client
        self._containers = Containers(client)

    async def dump(self, draft: Draft) -> AsyncIterator[Event]:
        kind = self._backing.kind
        for database in await self._databases():
            written = 0

            def sink(data: bytes, database: str = database) -> None:
                nonlocal written
                written += len(data)
                draft.write(database, data)

            draft.write(database, b"")
            what = f"copy {database} of {self._backing.name}"
            await self._pipe(dumps.dump(kind, database), what=what, sink=sink, seconds=DUMP_SECONDS)
            yield self._event(f"copied {database}, {written} bytes")

    async def load(self, copy: Copy) -> AsyncIterator[Event]:
        for part in copy.manifest.parts:
            yield self._event(f"bringing back {part.database}, {part.size} bytes")
            match self._backing.kind:
                case "mariadb":
                    await self._load(dumps.load_mariadb(), copy, part.database)
                case "postgresql":
                    await self._load_postgresql(copy, part.database)
                case "s3":
                    await self._load(dumps.load_s3(part.database), copy, part.database)
                case _:
                    await self._load_redis(copy, part.database)

    async def count(self, databases: Sequence[str]) -> dict[str, int]:
        found = {}
        for database in databases:
            output = await self._ask(dumps.count(self._backing.kind, database), what=f"count {database}")
            found[database] = dumps.counted(self._backing.kind, output)
        return found

    async def wait_up(self) -> None:
        """Returns when the server takes connections; the cause of it when it does not."""
        deadline = time.monotonic() + UP_SECONDS
        while True:
            try:
                await self._ask(dumps.is_up(self._backing.kind), what=f"knock at {self._item.name}")
                return
            except EngineError as error:
                state = (await self._containers.inspect(self._item.id))["State"]["Status"]
                if state not in ("running", "restarting") or time.monotonic() > deadline:
                    raise await self._down(error) from error
            await asyncio.sleep(_POLL_SECONDS)

    async def _databases(self) -> list[str]:
        if self._backing.kind == "redis":
            return [dumps.WHOLE]
        names = await self._ask(dumps.list_databases(self._backing.kind), what=f"list {self._backing.name}")
        return [name for name in names.splitlines() if name.strip()]

    async def _load(self, command: Sequence[str], copy: Copy, database: str) -> None:
        what = f"bring back {database} of {self._backing.name}"
        await self._pipe(command, what=what, source=copy.read(database), seconds=DUMP_SECONDS)

    async def _load_postgresql(self, copy: Copy, database: str) -> None:
        what = f"make room for {database}"
        admin = RECIPES["postgresql"].admin
        await self._pipe(admin, what=what, source=[dumps.prepare_postgresql(database).encode()])
        owner = await self._ask(dumps.owner_of(database + dumps.RESTORING), what=what)
        await self._load(dumps.load_postgresql(database, owner.strip()), copy, database)
        what = f"put {database} in its place"
        try:
            await self._pipe(admin, what=what, source=[dumps.swap_postgresql(database).encode()])
        except EngineError:
            with suppress(EngineError):
                await self._pipe(admin, what=what, source=[dumps.unlock_postgresql(database).encode()])
            raise

    async def _load_redis(self, copy: Copy, database: str) -> None:
        """Redis takes a whole copy only when it starts."""
        await self._load(dumps.receive_redis(), copy, database)
        await self._pipe(dumps.quiet_redis(), what="quiet redis", source=[dumps.QUIET.encode()])
        await self._pipe(dumps.swap_redis(), what="put the copy in its place")
        await self._containers.stop(self._item.id, grace=payloads.BACKING_GRACE_SECONDS)
        await self._containers.start(self._item.id, name=self._item.name)
        await self.wait_up()

    async def _ask(self, command: Sequence[str], *, what: str) -> str:
        output = bytearray()
        await self._pipe(command, what=what, sink=output.extend)
        return output.decode(errors="replace")

    async def _pipe(
        self,
        command: Sequence[str],
        *,
        what: str,
        source: Iterable[bytes] = (),
        sink: Callable[[bytes], None] = lambda _: None,
        seconds: float = ASK_SECONDS,
    ) -> None:
        """RolloutFailed with what the command said when it ends with anything but 0."""
        first = [f"{self._root}\n".encode()] if dumps.needs_password(command) else []
        done = await self._client.pipe(
            self._item.id,
            command,
            what=what,
            source=(chunk for part in (first, source) for chunk in part),
            sink=sink,
            user=RECIPES[self._backing.kind].user,
            seconds=seconds,
        )
        if done.code:
            said = [self._secrets.hide(line) for line in done.output.splitlines() if line.strip()]
            sentence = f"cannot {what}: {said[-1] if said else f'exit code {done.code}'}"
            evidence = (f"{command[0]} ended with exit code {done.code}",)
            raise RolloutFailed(
                Cause("engine", self._backing.name, sentence, evidence, tuple(said[-_LAST_LINES:]))
            )

    async def _down(self, error: EngineError) -> RolloutFailed:
        lines = await self._containers.last_lines(self._item.id, self._secrets)
        sentence = f"{self._backing.name} does not take connections: {self._secrets.hide(error.message)}"
        return RolloutFailed(Cause("timeout", self._backing.name, sentence, (), lines))

    def _event(self, message: str) -> Event:
        return Event("backing", self._backing.name, message)
