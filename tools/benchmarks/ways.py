"""Three ways to replace the same service: Écluse, docker-compose, kamal-proxy with containers by hand."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.installed import Done, Ecluse, Failed, docker, free_port, go, run
from benchmarks.kinds import KINDS, Lost
from benchmarks.shown import DOCKER
from benchmarks.speakers import Where, connect
from benchmarks.subject import BOOT_SECONDS, HOST, SERVICE, wish

COMPOSE_PROJECT = "eclusebench"
IMAGE = f"bench/{SERVICE}:1"


class Missing(Exception):
    """A rival that is not on this machine; the text says how to get it."""


class Way(Protocol):
    """Brings versions of the service, and says where it answers."""

    name: str

    @property
    def where(self) -> Where: ...

    async def bring(self, version: str) -> None:
        """Returns when the way's own command has ended."""


@dataclass
class ByEcluse:
    ecluse: Ecluse
    name: str = "ecluse"

    @property
    def where(self) -> Where:
        authority = self.ecluse.state / "_machine" / "authority" / "authority.crt"
        return Where(self.ecluse.port, HOST, self.ecluse.https, authority)

    async def bring(self, version: str) -> None:
        wish(self.ecluse.root, version)
        ended_well(await self.ecluse.go("deploy", "test", "--yes"))


@dataclass
class ByCompose:
    """`up -d` with a changed variable: it stops the container, then starts the new one."""

    command: str
    file: Path
    port: int
    name: str = "docker-compose"

    @property
    def where(self) -> Where:
        return Where(self.port, HOST)

    async def bring(self, version: str) -> None:
        ended_well(
            await go(self.command, "-f", self.file, "-p", COMPOSE_PROJECT, "up", "-d", VERSION=version)
        )


@dataclass
class ByKamal:
    """New container, `kamal-proxy deploy`, old container stopped: what `kamal deploy` does on a host."""

    command: Path
    home: Path
    port: int
    name: str = "kamal-proxy"
    running: list[str] = field(default_factory=list)

    @property
    def where(self) -> Where:
        return Where(self.port, HOST)

    async def bring(self, version: str) -> None:
        made = await go(
            DOCKER, "run", "--detach", "--init", "--label", "ecluse.product=bench", "--env", f"VERSION={version}",
            "--env", f"BOOT_SECONDS={BOOT_SECONDS:g}", IMAGE,
        )  # fmt: skip
        ended_well(made)
        self.running.append(made.out.strip())
        where = await go(DOCKER, "inspect", "--format", "{{.NetworkSettings.IPAddress}}", self.running[-1])
        told = await go(
            self.command, "deploy", SERVICE, "--target", f"{where.out.strip()}:8080", "--host", HOST,
            "--health-check-path", "/health", "--health-check-interval", "500ms", "--drain-timeout", "10s",
            **self.variables,
        )  # fmt: skip
        ended_well(told)
        for old in self.running[:-1]:
            ended_well(await go(DOCKER, "stop", "--time", "20", old))
            ended_well(await go(DOCKER, "rm", old))
        del self.running[:-1]

    @property
    def variables(self) -> dict[str, str]:
        folders = ("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
        return dict.fromkeys(folders, str(self.home))


def ended_well(done: Done) -> None:
    if done.code:
        raise Failed(f"a replacement ended with {done.code}:\n{done.out[-1000:]}\n{done.err[-3000:]}")


@asynccontextmanager
async def by_compose() -> AsyncIterator[ByCompose]:
    with tempfile.TemporaryDirectory(prefix="ec") as folder:
        way = ByCompose(compose(), Path(folder) / "docker-compose.yaml", free_port())
        way.file.write_text(
            f'version: "2.4"\nservices:\n  {SERVICE}:\n    image: {IMAGE}\n    init: true\n    stop_grace_period: 20s\n'
            f'    ports: ["127.0.0.1:{way.port}:8080"]\n'
            f'    environment: {{VERSION: "${{VERSION}}", BOOT_SECONDS: "{BOOT_SECONDS:g}"}}\n'
        )
        try:
            yield way
        finally:
            run(way.command, "-f", way.file, "-p", COMPOSE_PROJECT, "down", "-t", "1", VERSION="0")


def compose() -> str:
    found = shutil.which("docker-compose")
    if found is None:
        raise Missing("docker-compose is not on this machine: apt-get install docker-compose")
    return found


@asynccontextmanager
async def by_kamal() -> AsyncIterator[ByKamal]:
    command = kamal_proxy()
    with tempfile.TemporaryDirectory(prefix="ek") as folder:
        way = ByKamal(command, Path(folder), free_port())
        process = await asyncio.create_subprocess_exec(
            str(command), "run", "--http-port", str(way.port), "--https-port", str(free_port()),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env=os.environ | way.variables,
        )  # fmt: skip
        try:
            await _listens(way.port)
            yield way
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            for container in way.running:
                docker("rm", "--force", container)


def kamal_proxy() -> Path:
    """The program, as `tools/peers.sh` built it from its published module."""
    cache = Path(os.environ.get("ECLUSE_CACHE") or Path.home() / ".cache" / "ecluse")
    built = cache / "peers" / "bin" / "kamal-proxy"
    if not built.exists():
        raise Missing(f"kamal-proxy is not at {built}: `make peers` builds it where its Go module can be had")
    return built


async def _listens(port: int, *, seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise Failed(f"nothing listened on port {port} within {seconds:.0f} s")


async def wait_answering(port: int, *, seconds: float = 60) -> None:
    """Until the service answers well; Failed after `seconds`."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if await answers(port):
            return
        await asyncio.sleep(0.1)
    raise Failed(f"nothing answered on port {port} within {seconds:.0f} s")


async def answers(port: int) -> bool:
    """Does the service answer one request well, within five seconds?"""
    with suppress(OSError, TimeoutError, Lost, asyncio.IncompleteReadError):
        async with asyncio.timeout(5):
            connection = await connect(Where(port, HOST), KINDS[0])
            try:
                return (await connection.ask(KINDS[0])).status == 200
            finally:
                connection.close()
    return False
