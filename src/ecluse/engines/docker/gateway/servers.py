"""The servers of a running gateway: what it thinks of them, and how they come to be those of the files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from ecluse.engines.docker.gateway import runtime
from ecluse.engines.docker.gateway.admin import Admin
from ecluse.engines.docker.gateway.routing import Backend, Server
from ecluse.engines.docker.gateway.runtime import Standing
from ecluse.engines.docker.judgement import Tally
from ecluse.errors import EngineError

POLL_SECONDS = 0.05
_DELETE_SECONDS = 5.0

Standings = Mapping[tuple[str, str], Standing]
"""By the names of backend and server."""


class Servers:
    def __init__(self, admin: Admin, *, who: str) -> None:
        self._admin = admin
        self._who = who

    async def standings(self) -> Standings:
        """What the running gateway thinks of each server; empty when it does not answer."""
        try:
            found = await self._admin.standings()
        except EngineError:
            return {}
        return {(item.backend, item.server): item for item in found}

    async def tallies(self, backend: str) -> dict[str, Tally]:
        """What the running gateway counted of each server of a process."""
        return {
            name: item.tally for (owner, name), item in (await self.standings()).items() if owner == backend
        }

    async def follow(self, backend: Backend, standings: Standings) -> None:
        """Adds what is missing, mends what is otherwise, deletes what should not be there."""
        for server in backend.servers:
            standing = standings.get((backend.name, server.name))
            if standing is None:
                await self._add(backend, server)
            else:
                await self._mend(backend, server, standing)
        wanted = {server.name for server in backend.servers}
        for name in [name for owner, name in standings if owner == backend.name and name not in wanted]:
            await self._delete(backend.name, name)

    async def delete(self, backend: str, names: Sequence[str]) -> None:
        """Whatever they still have open is closed."""
        standings = await self.standings()
        for name in names:
            if (backend, name) in standings:
                await self._delete(backend, name)

    async def tunnels(self, backend: str, names: Sequence[str]) -> int:
        """How many websockets these servers have open."""
        if not await self._admin.answers():
            return 0
        found = runtime.read_tunnels(await self._admin.ask("show sess"), backend)
        return sum(found[name] for name in names)

    async def look_away(self, backend: str, names: Sequence[str]) -> None:
        for name in names:
            await self._admin.ask(runtime.look_away(backend, name))

    async def wait_quiet(self, backend: str, names: Sequence[str], *, seconds: float) -> None:
        """Returns when what was under way there is answered, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not await self._is_quiet(backend, names):
            await asyncio.sleep(POLL_SECONDS)

    async def _is_quiet(self, backend: str, names: Sequence[str]) -> bool:
        """Nothing but websockets on these servers, and no worker of an older configuration that may use them."""
        try:
            answer, listed = await self._admin.ask("show sess"), await self._admin.standings()
            tunnels = runtime.read_tunnels(answer, backend)
            sessions = runtime.read_sessions(answer, backend)
            queued = {item.server: item.sessions for item in listed if item.backend == backend}
            busy = any(max(sessions[name], queued.get(name, 0)) > tunnels[name] for name in names)
            return not busy and await self._admin.old_workers() == 0
        except EngineError:
            # who does not run has nothing open
            return not await self._admin.answers()

    async def _add(self, backend: Backend, server: Server) -> None:
        add, *enable = runtime.add_server(backend, server)
        await self._admin.tell(add, unless=("New server registered",))
        for command in enable:
            await self._admin.tell(command)

    async def _mend(self, backend: Backend, server: Server, standing: Standing) -> None:
        if standing.weight != server.weight:
            await self._admin.tell(runtime.weigh(backend.name, server.name, server.weight))
        if server.weight and standing.status.startswith(("DRAIN", "MAINT")):
            await self._admin.tell(runtime.ready(backend.name, server.name))

    async def _delete(self, backend: str, name: str) -> None:
        """Closes what is left, a websocket for example, and deletes the server."""
        await self._admin.tell(runtime.park(backend, name))
        deadline = time.monotonic() + _DELETE_SECONDS
        while True:
            await self._admin.ask(runtime.close_sessions(backend, name))
            answer = (await self._admin.ask(runtime.delete_server(backend, name))).strip()
            if not answer or "deleted" in answer or "No such" in answer:
                return
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{self._who} does not let go of {name} within {_DELETE_SECONDS:g} s: {answer}"
                )
            await asyncio.sleep(POLL_SECONDS)
