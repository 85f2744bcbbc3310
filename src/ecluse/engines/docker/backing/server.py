"""One server of a backing service, in its container: is it ready, and may its clients come in?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ecluse.engines.docker.backing import databases, dumps, resp
from ecluse.engines.docker.backing.copies import Copies
from ecluse.engines.docker.backing.databases import RECIPES, Account
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.endings import ended
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.symptoms import at_the_start
from ecluse.errors import EngineError
from ecluse.model.application import BackingService, File, login_name
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.names import ServiceName

READY_SECONDS = 120.0
_POLL_SECONDS = 0.25
_STATEMENT_SECONDS = 60.0


class BackingServer:
    """item: its container."""

    def __init__(
        self,
        backing: BackingService,
        item: Container,
        *,
        client: Client,
        containers: Containers,
        dressing: Dressing,
    ) -> None:
        self.item = item
        self._backing = backing
        self._recipe = RECIPES[backing.kind]
        self._client = client
        self._containers = containers
        self._dressing = dressing
        self._secrets = dressing.mask_backing(backing)
        self._root = dressing.text(backing.root_password)

    @property
    def copies(self) -> Copies:
        return Copies(self._backing, self.item, root=self._root, secrets=self._secrets, client=self._client)

    async def put_files(self) -> None:
        """What it must find inside, for its next start."""
        found = databases.files(self._backing, self._root, self._accounts())
        files = [File(path, text, 0o400, self._recipe.user) for path, text in found.items()]
        await self._dressing.put(self.item.id, files)

    async def wait_ready(self) -> None:
        """Returns when it takes commands from outside; RolloutFailed with why it does not."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            inspected = await self._containers.inspect(self.item.id)
            if inspected["State"]["Status"] != "running":
                raise await self._failed(inspected)
            problem = await self._problem()
            if problem is None:
                return
            if time.monotonic() > deadline:
                raise await self._overdue(problem)
            await asyncio.sleep(_POLL_SECONDS)

    async def give_accounts(self) -> None:
        """Each client its own, with the password of today, and that of before while it counts too."""
        accounts = self._accounts()
        if self._backing.kind == "redis":
            # into the file for the next start, and into the server that runs
            await self.put_files()
            users = databases.redis_users(self._root, accounts, self._backing.version)
            await self._ask_redis([["ACL", "SETUSER", user[0], "resetpass", *user[1:]] for user in users])
            return
        if self._backing.kind == "s3":
            # the proxy reads the file again when it changes
            await self.put_files()
        statements = databases.statements(self._backing.kind, self._root, accounts)
        if problem := await self._said(self._recipe.admin, statements):
            raise EngineError(f"{self._backing.name} refuses the accounts: {self._secrets.hide(problem)}")

    async def _problem(self) -> str | None:
        """Why it does not accept authenticated commands from outside yet, or None."""
        try:
            if self._backing.kind == "redis":
                await self._ask_redis([["PING"]])
                return None
            await resp.knock(self.item.address, self._recipe.port)
            if self._backing.kind == "s3":
                return await self._said(dumps.is_up("s3"))
            return await self._said(self._recipe.admin, "SELECT 1;\n")
        except (OSError, EngineError) as error:
            return str(error)

    async def is_locked(self) -> bool:
        """Does it run, and take none of the passwords? Others let their administrator in from inside."""
        if self._backing.kind != "redis":
            return False
        try:
            await self._ask_redis([["PING"]])
        except resp.LoginRefused:
            return True
        except (OSError, EngineError):
            # it starts still
            return False
        return False

    async def _ask_redis(self, commands: Sequence[Sequence[str]]) -> None:
        """As the administrator; with the password of a client where the administrator's is not known any more: both
        are the same user."""
        texts = (self._root, *(text for one in self._accounts() for text in one.passwords))
        *first, last = dict.fromkeys(texts)
        for password in first:
            with suppress(resp.LoginRefused):
                return await resp.ask(self.item.address, self._recipe.port, password, commands)
        return await resp.ask(self.item.address, self._recipe.port, last, commands)

    async def _said(self, command: Sequence[str], statements: str = "") -> str | None:
        """What a command inside said when it went wrong."""
        done = await self._client.execute(
            self.item.id,
            command,
            what=f"ask {self.item.name}",
            stdin=statements.encode(),
            user=self._recipe.user,
            seconds=_STATEMENT_SECONDS,
        )
        return (done.output.strip() or f"exit code {done.code}") if done.code else None

    def _accounts(self) -> list[Account]:
        return [self._account(client) for client in sorted(self._backing.accounts)]

    def _account(self, client: ServiceName) -> Account:
        backing, turn = self._backing, self._backing.turn(client)
        former = backing.former.get(client)
        return Account(
            str(client),
            login_name(backing.kind, client, turn),
            login_name(backing.kind, client, turn + 1),
            self._dressing.text(backing.accounts[client]),
            None if former is None else self._dressing.text(former),
        )

    async def _failed(self, inspected: Mapping[str, Any]) -> RolloutFailed:
        logs = await self._containers.last_lines(self.item.id, self._secrets)
        return RolloutFailed(at_the_start(ended(self._backing.name, inspected, logs)))

    async def _overdue(self, problem: str) -> RolloutFailed:
        sentence = f"{self._backing.name} did not accept commands within {READY_SECONDS:g} s"
        logs = await self._containers.last_lines(self.item.id, self._secrets)
        evidence = (self._secrets.hide(problem),)
        return RolloutFailed(Cause("timeout", self._backing.name, sentence, evidence, logs))
