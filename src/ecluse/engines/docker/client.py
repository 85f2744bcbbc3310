"""The one way to the Docker API: calls, streams and commands in containers, with our errors only.

It stands on aiodocker's request layer (negotiated version, sockets); its own methods drop what we need: build
networks, standard error apart from standard output, the end of standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiodocker
import aiohttp
from aiodocker.execs import Exec
from aiodocker.stream import Stream

from ecluse.errors import EngineError

CALL_SECONDS = 60.0
DEFAULT_URL = "unix:///var/run/docker.sock"
_UNREACHABLE = 900
_SAID_BYTES = 16384
_HINT = (
    "is the engine running, and may you use its socket? `docker version` tells; DOCKER_HOST names another one"
)


class ApiError(EngineError):
    """Docker refused a call. `status` is that of HTTP, `reason` the engine's own words."""

    def __init__(self, what: str, status: int, reason: str) -> None:
        super().__init__(f"Docker cannot {what}: {reason}")
        self.status = status
        self.reason = reason


class Unreachable(EngineError):
    """The engine does not answer, or went away in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class Executed:
    """How a command in a container ended, and what it wrote (both streams together)."""

    code: int
    output: str


class Client:
    """A connection to one Docker engine. Close it."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._named = url or os.environ.get("DOCKER_HOST") or DEFAULT_URL
        self._docker: aiodocker.Docker | None = None

    @property
    def docker(self) -> aiodocker.Docker:
        if self._docker is None:
            try:
                self._docker = aiodocker.Docker(self._url)
            except (AssertionError, ValueError) as error:
                raise EngineError(f"cannot reach the Docker engine at {self._named}", hint=_HINT) from error
        return self._docker

    async def close(self) -> None:
        if self._docker is not None:
            await self._docker.close()
            self._docker = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, object] | None = None,
        body: object = None,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """One request, its answer as JSON (None when empty)."""
        data = None if body is None else json.dumps(body)
        async with self.request(
            method, path, what=what, params=params, data=data, seconds=seconds
        ) as response:
            text = await response.text()
            return json.loads(text) if text.strip() else None

    async def upload(self, path: str, archive: bytes, *, what: str, params: Mapping[str, object]) -> None:
        headers = {"Content-Type": "application/x-tar"}
        async with self.request("PUT", path, what=what, params=params, data=archive, headers=headers):
            return

    async def download(self, path: str, *, what: str, params: Mapping[str, object]) -> bytes:
        async with self.request("GET", path, what=what, params=params) as response:
            return await response.read()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, object] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = CALL_SECONDS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request whose answer the caller reads. `seconds` None: as long as it lasts."""
        with self._ours(what, seconds):
            async with self.docker._query(
                path,
                method,
                params=_parameters(params),
                data=data,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                try:
                    yield response
                finally:
                    response.close()

    async def execute(
        self,
        container: str,
        command: Sequence[str],
        *,
        what: str,
        stdin: bytes = b"",
        user: str = "",
        seconds: float = CALL_SECONDS,
    ) -> Executed:
        """Runs a command inside a running container, feeding it `stdin`."""
        identity = await self.create_exec(
            container, command, what=what, user=user, stdin=bool(stdin), tty=False
        )
        with self._ours(what, seconds):
            async with asyncio.timeout(seconds), self.start_exec(identity, tty=False) as stream:
                if stdin:
                    await stream.write_in(stdin)
                    end_input(stream)
                output = b"".join([part async for _, part in stream_parts(stream)])
        return Executed(await self.exec_code(identity), output.decode(errors="replace"))

    async def pipe(
        self,
        container: str,
        command: Sequence[str],
        *,
        what: str,
        source: Iterable[bytes],
        sink: Callable[[bytes], None],
        user: str,
        seconds: float,
    ) -> Executed:
        """Runs a command inside a running container between `source` and `sink`; gives its code and what it
        complained of. Holds a little of the data at a time."""
        identity = await self.create_exec(container, command, what=what, user=user, stdin=True, tty=False)
        with self._ours(what, seconds):
            async with asyncio.timeout(seconds), self.start_exec(identity, tty=False) as stream:
                feeding = asyncio.create_task(_feed(stream, source))
                try:
                    said = await _sort(stream, sink)
                finally:
                    feeding.cancel()
                    (fed,) = await asyncio.gather(feeding, return_exceptions=True)
        # a command that ends early closes its input, and its code tells; a source that fails must be heard
        if isinstance(fed, _SourceFailed):
            raise fed.error
        return Executed(await self.exec_code(identity), said.decode(errors="replace"))

    async def create_exec(
        self, container: str, command: Sequence[str], *, what: str, user: str = "", stdin: bool, tty: bool
    ) -> str:
        body = {
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "Cmd": list(command),
            "User": user,
        }
        answer = await self.call("POST", f"containers/{container}/exec", what=what, body=body)
        return str(answer["Id"])

    def start_exec(self, identity: str, *, tty: bool) -> Stream:
        return Exec(self.docker, identity, tty).start()

    async def exec_code(self, identity: str) -> int:
        for _ in range(50):
            answer = await self.call("GET", f"exec/{identity}/json", what="tell how a command ended")
            if not answer["Running"] and answer["ExitCode"] is not None:
                return int(answer["ExitCode"])
            await asyncio.sleep(0.05)
        raise EngineError("Docker did not tell within 3 s how a command ended")

    def _ours(self, what: str, seconds: float | None) -> _Translation:
        return _Translation(what, seconds, self._named)


class _Translation:
    """Turns what aiodocker and aiohttp raise inside into errors of ours."""

    def __init__(self, what: str, seconds: float | None, url: str) -> None:
        self._what = what
        self._seconds = seconds
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case aiodocker.DockerError(status=status) if status == _UNREACHABLE:
                raise self._unreachable() from error
            case aiodocker.DockerError():
                raise ApiError(self._what, error.status, error.message.strip()) from error
            case TimeoutError():
                limit = f" within {self._seconds:g} s" if self._seconds else ""
                raise EngineError(f"Docker could not {self._what}{limit}") from error
            case aiohttp.ClientError() | ConnectionError():
                raise self._unreachable() from error

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"cannot reach the Docker engine at {self._url}", hint=_HINT)


async def stream_parts(stream: Stream) -> AsyncIterator[tuple[int, bytes]]:
    """What a command writes: (1 or 2, bytes) until it ends."""
    while (message := await stream.read_out()) is not None:
        yield message.stream, message.data


async def _sort(stream: Stream, sink: Callable[[bytes], None]) -> bytes:
    """Standard output into the sink; gives the end of what came on the other."""
    said = b""
    async for number, part in stream_parts(stream):
        if number == 1:
            sink(part)
        else:
            said = (said + part)[-_SAID_BYTES:]
    return said


class _SourceFailed(Exception):
    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def _feed(stream: Stream, source: Iterable[bytes]) -> None:
    """Ends the input in any case: a command that waits for more of a source that failed would wait for ever."""
    try:
        for chunk in _read(source):
            await stream.write_in(chunk)
    finally:
        end_input(stream)


def _read(source: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from source
    except Exception as error:
        raise _SourceFailed(error) from error


def end_input(stream: Stream) -> None:
    """Closes the command's standard input and leaves its output open, which aiodocker cannot."""
    connection = stream._resp.connection if stream._resp else None
    if connection is not None and connection.transport is not None and connection.transport.can_write_eof():
        connection.transport.write_eof()


def _parameters(params: Mapping[str, object] | None) -> dict[str, str]:
    return {key: _parameter(value) for key, value in (params or {}).items()}


def _parameter(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value)
        case _:
            return str(value)
