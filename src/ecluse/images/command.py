"""Runs a command to its end, line by line. The only file of this package that starts processes to build."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress

from ecluse.errors import EngineError, TimedOut

GRACE_SECONDS = 5.0


async def run(
    argv: Sequence[str],
    *,
    waiting_for: str,
    timeout: float,
    environ: Mapping[str, str],
    on_line: Callable[[str], None] = lambda line: None,
    stdin: bytes | None = None,
) -> int:
    """The exit code of `argv`. Its output and error lines go to `on_line` as they come.

    Raises TimedOut, which names `waiting_for` and the limit in seconds. However this ends, the process and
    its children have ended too.
    """
    process = await _start(argv, environ, has_input=stdin is not None)
    try:
        async with asyncio.timeout(timeout):
            await _feed(process, stdin)
            async for line in _lines(process):
                on_line(line)
            return await process.wait()
    except TimeoutError as error:
        raise TimedOut(f"{waiting_for}: not finished after {timeout:g} s") from error
    finally:
        await _stop(process)


async def _start(argv: Sequence[str], environ: Mapping[str, str], *, has_input: bool) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=PIPE if has_input else DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"{argv[0]} cannot be started: {error.strerror or error}") from error


async def _feed(process: Process, stdin: bytes | None) -> None:
    if stdin is None or process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


async def _lines(process: Process) -> AsyncIterator[str]:
    """Lines without their end. Reads in chunks: a line may be longer than any reader's limit."""
    assert process.stdout is not None
    rest = b""
    while chunk := await process.stdout.read(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


async def _stop(process: Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
