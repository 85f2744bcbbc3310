"""Talks to a running HAProxy through its sockets, which lie in a folder that is mounted into its container."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ecluse.engines.docker.gateway import configuration, haproxy, runtime
from ecluse.engines.docker.gateway.runtime import Standing
from ecluse.errors import EngineError

ANSWER_SECONDS = 5.0
START_SECONDS = 15.0
RELOAD_SECONDS = 15.0
_POLL_SECONDS = 0.05


class Admin:
    """The runtime API of one HAProxy (management guide, 9.3) and its master's (9.4)."""

    def __init__(self, folder: Path, *, who: str) -> None:
        self._folder = folder
        self._who = who

    async def ask(self, *commands: str) -> str:
        """Sends commands to the worker and gives what it answers; EngineError when it does not."""
        return await self._send("admin.sock", runtime.commands(commands))

    async def tell(self, command: str, *, unless: tuple[str, ...] = ()) -> None:
        """Sends a command that answers with nothing, or with one of `unless`, when it was done."""
        answer = (await self.ask(command)).strip()
        if answer and not any(word in answer for word in unless):
            raise EngineError(f"{self._who} refuses `{command}`: {answer}")

    async def standings(self) -> list[Standing]:
        return runtime.read_standings(await self.ask("show stat"))

    async def map(self, file: str) -> dict[str, str]:
        return runtime.read_map(await self.ask(f"show map {haproxy.FOLDER}/{file}"))

    async def certificate(self) -> str | None:
        """The fingerprint of the certificate in use, None where there is none."""
        return runtime.read_fingerprint(
            await self.ask(f"show ssl cert {haproxy.FOLDER}/{configuration.CERTIFICATE}")
        )

    async def install_certificate(self, pem: str) -> None:
        prepare, commit = runtime.set_certificate(pem)
        answer = (await self.ask(prepare)).strip()
        if "Transaction" not in answer:
            raise EngineError(f"{self._who} refuses the certificate: {answer}")
        await self.tell(commit, unless=("Success",))

    async def old_workers(self) -> int:
        return runtime.count_old_workers(await self._send("master.sock", "show proc\n"))

    async def answers(self) -> bool:
        try:
            return "Pid:" in await self.ask("show info")
        except EngineError:
            return False

    async def wait_started(self, last_lines: Callable[[], Awaitable[Sequence[str]]]) -> None:
        """Returns when it answers; EngineError with what it wrote last."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self.answers():
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            lines = "".join(f"\n  {line}" for line in await last_lines())
            raise EngineError(f"{self._who} did not start within {START_SECONDS:g} s{lines}") from error

    async def reload(self) -> None:
        """Has the configuration read again, and returns when the new worker serves."""
        before = await self._worker()
        await self._send("master.sock", "reload\n")
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                while (now := await self._worker()) is None or now == before:
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise EngineError(
                f"{self._who} did not reload within {RELOAD_SECONDS:g} s",
                hint=f"`docker logs {self._who}` says why; what it served before still runs",
            ) from error

    async def _worker(self) -> str | None:
        try:
            return runtime.current_worker(await self._send("master.sock", "show proc\n"))
        except EngineError:
            return None

    async def _send(self, socket: str, text: str) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._exchange(socket, text)
        except TimeoutError as error:
            raise EngineError(f"{self._who} did not answer within {ANSWER_SECONDS:g} s") from error
        except OSError as error:
            raise EngineError(
                f"{self._who} does not answer: {error.strerror or error}",
                hint=f"`docker logs {self._who}` says why",
            ) from error

    async def _exchange(self, socket: str, text: str) -> str:
        # through a descriptor of the folder: the path of a socket has at most 107 characters (unix(7))
        descriptor = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}/{socket}")
        finally:
            os.close(descriptor)
        try:
            writer.write(text.encode())
            # the master keeps the connection open until its client has nothing more to say
            writer.write_eof()
            return (await reader.read()).decode(errors="replace")
        finally:
            writer.close()
