"""A command inside a container, joined to this process's terminal or pipes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import termios
import tty as terminal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

from aiodocker.stream import Stream

from ecluse.engines.docker.client import Client, end_input, stream_parts
from ecluse.errors import EngineError

_CHUNK = 65536


async def join(client: Client, container: str, command: Sequence[str], *, tty: bool) -> int:
    """Runs the command and gives its exit code. `tty`: keys go through as they are typed."""
    identity = await client.create_exec(
        container, command, what=f"run {command[0]} there", stdin=True, tty=tty
    )
    with _raw() if tty and sys.stdin.isatty() else _plain():
        async with client.start_exec(identity, tty=tty) as stream, _sized(client, identity, tty=tty):
            feeding = asyncio.create_task(_feed(stream))
            try:
                async for number, part in stream_parts(stream):
                    _write(sys.stderr.fileno() if number == 2 else sys.stdout.fileno(), part)
            finally:
                await _end(feeding)
    return await client.exec_code(identity)


async def _feed(stream: Stream) -> None:
    """Our standard input into the command's, to its end."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    descriptor = sys.stdin.fileno()
    try:
        loop.add_reader(descriptor, lambda: arrived.put_nowait(_read(descriptor)))
    except PermissionError:
        # a regular file cannot be waited for (epoll_ctl(2)), and need not be
        while data := await asyncio.to_thread(os.read, descriptor, _CHUNK):
            await stream.write_in(data)
        end_input(stream)
        return
    try:
        while data := await arrived.get():
            await stream.write_in(data)
        end_input(stream)
    finally:
        loop.remove_reader(descriptor)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@asynccontextmanager
async def _sized(client: Client, identity: str, *, tty: bool) -> AsyncIterator[None]:
    """Docker knows the size of our terminal: before the command hears anything, and whenever it changes."""
    if not tty:
        yield
        return
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def resize() -> None:
        task = loop.create_task(_resize(client, identity))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGWINCH, resize)
    try:
        await _resize(client, identity)
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        await _end(*tasks)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _resize(client: Client, identity: str) -> None:
    size = shutil.get_terminal_size()
    with suppress(EngineError):
        await client.call(
            "POST",
            f"exec/{identity}/resize",
            what="resize a terminal",
            params={"h": size.lines, "w": size.columns},
        )


@contextmanager
def _raw() -> Iterator[None]:
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    # what was typed ahead is not thrown away
    terminal.setraw(descriptor, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _plain() -> Iterator[None]:
    yield
