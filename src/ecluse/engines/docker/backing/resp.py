"""Just enough of Redis's protocol (RESP2) to log in and send a few commands; and a knock on any port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ecluse.errors import EngineError

SECONDS = 5.0


class LoginRefused(EngineError):
    """The password is not one that counts."""


async def ask(address: str, port: int, password: str, commands: Sequence[Sequence[str]]) -> None:
    """Logs in and sends commands that answer with one line; EngineError with what is refused."""
    try:
        async with asyncio.timeout(SECONDS):
            await _converse(address, port, [["AUTH", password], *commands])
    except TimeoutError as error:
        raise EngineError(f"redis did not answer within {SECONDS:g} s") from error


async def _converse(address: str, port: int, commands: Sequence[Sequence[str]]) -> None:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        for command in commands:
            writer.write(_encoded(command))
            answer = (await reader.readline()).decode(errors="replace").strip()
            if not answer.startswith("+"):
                refused = LoginRefused if answer.startswith("-WRONGPASS") else EngineError
                raise refused(f"redis refuses {command[0]}: {answer or 'it closed the connection'}")
    finally:
        writer.close()


async def knock(address: str, port: int) -> None:
    """Returns when the port is open; EngineError or OSError when it is not."""
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError as error:
        raise EngineError(f"port {port} did not open within {SECONDS:g} s") from error
    writer.close()


def _encoded(words: Sequence[str]) -> bytes:
    parts = [word.encode() for word in words]
    return b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)])
