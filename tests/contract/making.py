"""What the tests of engines are made from: workloads, runs, backing services, and the image of a small program."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import BackingService, File, ReleaseId, Target
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.secret import Text
from ecluse.model.service import Probe, Process
from ecluse.model.workload import Box, Run, Workload
from ecluse.ports import Engine
from ecluse.secrets.memory import MemoryVault

PROGRAM = Path(__file__).parents[1] / "integration" / "docker" / "image"
VAULT = MemoryVault()
DOCKER = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"


class Maker:
    """Makes what an engine is given, from one image."""

    def __init__(self, image: str) -> None:
        self.image = image

    def box(
        self,
        service: str = "hello",
        *,
        command: tuple[str, ...] = (),
        env: Mapping[str, Text] | None = None,
        files: tuple[File, ...] = (),
        uses: tuple[str, ...] = (),
        backing: tuple[str, ...] = (),
        version: str = "1.0",
        memory: int | None = None,
    ) -> Box:
        release = ReleaseId(ServiceName(service), version, self.image, content=f"content of {version}")
        users = tuple(ServiceName(name) for name in uses)
        return Box(release, command, dict(env or {}), files, users, backing, None, memory)

    def web(
        self,
        service: str = "hello",
        *,
        replicas: int = 1,
        port: int = 8080,
        probe: Probe | None = None,
        host: str | None = "hello.test.localhost",
        drain: float = 5.0,
        **box: object,
    ) -> Workload:
        probe = probe or Probe(path="/health", interval=0.2, deadline=20.0)
        spec = Process("web", (), port, probe, replicas=replicas, drain=drain, stop_grace=5.0)
        return Workload(ServiceName(service), "web", self.box(service, **box), spec, service, host)  # type: ignore[arg-type]

    def worker(self, service: str = "hello", *, replicas: int = 1, **box: object) -> Workload:
        spec = Process("worker", (), None, Probe(), replicas=replicas, stop_grace=2.0)
        return Workload(ServiceName(service), "worker", self.box(service, **box), spec, None, None)  # type: ignore[arg-type]

    def run(
        self, *command: str, name: str = "migrate", key: str = "k1", timeout: float = 30.0, **box: object
    ) -> Run:
        made = self.box("hello", command=command, **box)  # type: ignore[arg-type]
        return Run(ServiceName("hello"), name, key, made, timeout)

    def redis(self, name: str = "sessions", **accounts: str) -> BackingService:
        sealed = {
            ServiceName(client): VAULT.seal(text) for client, text in (accounts or {"hello": "open"}).items()
        }
        return BackingService(
            name, "redis", "7", None, None, None, None, VAULT.seal("the root of it"), sealed
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """An engine under test, an environment of its own, and how to make things fail there."""

    engine: Engine
    target: Target
    other: Target
    make: Maker

    def failing(self, workload_version: str = "broken") -> Workload:
        if isinstance(self.engine, MemoryEngine):
            self.engine.fail("hello/web", version=workload_version)
        return self.make.web(env={"EXIT": "3", "SAY": "it hurts"}, version=workload_version)

    def failing_run(self) -> Run:
        if isinstance(self.engine, MemoryEngine):
            self.engine.output["hello/migrate"] = ["it hurts"]
            self.engine.fail("hello/migrate")
        return self.make.run("sh", "-c", "echo it hurts; exit 4")

    def telling_run(self) -> Run:
        if isinstance(self.engine, MemoryEngine):
            self.engine.output["hello/migrate"] = ["one", "two"]
        return self.make.run("sh", "-c", "echo one; echo two")

    def speak(self) -> None:
        if isinstance(self.engine, MemoryEngine):
            self.engine.output["hello/web"] = ["program starts"]


async def drain(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


@contextmanager
def program_image() -> Iterator[str]:
    """The id of the image of the small program, built for as long as it is needed."""
    # a tag of its own: another run of the tests removes only its own
    name = f"ecluse-test/program:{uuid4().hex[:12]}"
    try:
        subprocess.run([DOCKER, "version"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("docker: no engine answers here")
    if subprocess.run([DOCKER, "image", "inspect", "debian:12-slim"], capture_output=True).returncode:
        pytest.skip("the image debian:12-slim")
    build = [DOCKER, "build", "--quiet", "--network", "host", "--tag", name, str(PROGRAM)]
    subprocess.run(build, check=True, capture_output=True, env=os.environ | {"DOCKER_BUILDKIT": "1"})
    found = subprocess.run(
        [DOCKER, "image", "inspect", "--format", "{{.Id}}", name], check=True, capture_output=True, text=True
    )
    yield found.stdout.strip()
    subprocess.run([DOCKER, "image", "rm", name], capture_output=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
