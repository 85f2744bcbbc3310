"""An environment on the real engine, and ways to look at it from outside: HTTP, and the docker command."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from making import DOCKER, Maker, drain

from ecluse.engines.docker.engine import DockerEngine
from ecluse.model.application import Target
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.observed import Replica
from ecluse.model.workload import Workload

HELLO = ServiceName("hello")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Here:
    engine: DockerEngine
    target: Target
    other: Target
    make: Maker
    port: int
    folder: Path
    https: int = 0

    @property
    def authority(self) -> Path:
        """What a client must trust."""
        return self.folder / "_machine" / "authority" / "authority.crt"

    def secure(self, host: str = "hello.test.localhost", authority: Path | None = None) -> Secure:
        return Secure(self.https, host, authority or self.authority)

    async def deploy(self, workload: Workload, target: Target | None = None) -> list[Event]:
        """Prepares the environment for one workload and rolls it out."""
        where = target or self.target
        await drain(self.engine.prepare(where, [workload]))
        return await drain(self.engine.rollout(where, workload))

    async def replicas(self, target: Target | None = None) -> tuple[Replica, ...]:
        return (await self.engine.observe(target or self.target)).of(HELLO)

    def get(
        self, path: str = "/", host: str = "hello.test.localhost", *, secure: bool = False, **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if secure:
            connection = self.secure(host)
        try:
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request("GET", path, headers={"Host": host} | named)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), dict(response.getheaders()))
        finally:
            connection.close()


class Secure(http.client.HTTPConnection):
    """HTTPS to this machine, for a host whose certificate is verified against one authority."""

    def __init__(self, port: int, host: str, authority: Path) -> None:
        super().__init__("127.0.0.1", port, timeout=20)
        self._name = host
        self._context = ssl.create_default_context(cafile=str(authority))

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)

    def serial(self) -> str:
        """The serial number of the certificate that is shown."""
        self.connect()
        try:
            return str(self.sock.getpeercert()["serialNumber"])  # type: ignore[attr-defined]
        finally:
            self.close()


def docker(*words: str) -> str:
    done = subprocess.run([DOCKER, *words], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def inspect(container: str) -> Any:
    return json.loads(docker("inspect", container))[0]


@dataclass(slots=True)
class Load:
    """Clients that never try twice. lost: every request that got no good answer."""

    port: int
    host: str
    done: int = 0
    authority: Path | None = None
    slow: bool = True
    lost: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator[Load]:
        jobs: list[Callable[[], None]] = [
            self._keep_alive,
            self._keep_alive,
            self._post,
            self._connect,
            *([self._slow] if self.slow else ()),
        ]
        threads = [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _keep_alive(self) -> None:
        connection = self._open()
        while not self._stop.is_set():
            connection = self._ask(connection, "GET", "/")
            time.sleep(0.005)
        connection.close()

    def _post(self) -> None:
        connection = self._open()
        while not self._stop.is_set():
            connection = self._ask(connection, "POST", "/", b"x" * 65536)
            time.sleep(0.01)
        connection.close()

    def _connect(self) -> None:
        while not self._stop.is_set():
            self._ask(self._open(), "GET", "/").close()
            time.sleep(0.02)

    def _slow(self) -> None:
        connection = self._open()
        while not self._stop.is_set():
            connection = self._ask(connection, "GET", "/slow")
        connection.close()

    def _open(self) -> http.client.HTTPConnection:
        if self.authority:
            return Secure(self.port, self.host, self.authority)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> http.client.HTTPConnection:
        try:
            connection.request(method, path, body=body, headers={"Host": self.host})
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._lose(f"{method} {path}: {type(error).__name__}: {error}")
            connection.close()
            return self._open()
        if response.status != 200:
            self._lose(f"{method} {path}: {response.status}")
        with self._lock:
            self.done += 1
            self.names.add(text.split()[0])
        return connection

    def _lose(self, what: str) -> None:
        with self._lock:
            self.lost.append(what)
