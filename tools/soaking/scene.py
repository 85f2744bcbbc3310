"""The product that lives through the day, its load, and what is done to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.installed import ECLUSE, Done, Ecluse, docker, go, machine
from benchmarks.kinds import ECHO, Kind
from benchmarks.shown import DOCKER, progress
from benchmarks.subject import SERVICE, wish
from benchmarks.ways import answers

PRODUCT = f"soak{os.getpid()}"
"""A name of its own: another soak on the same engine is left alone, with its images."""
REPLICAS = 2
SUCCEEDED, RESTORED = 0, 10
NEIGHBOUR = "side"
RECOVERY_SECONDS, WELL_SECONDS = 15.0, 2.0
SERVICE_YAML = """\
service: echo
processes:
  web:
    port: 8080
    probe: {path: /health, deadline: 8s}
    drain: 10s
    stop_grace: 20s
    expose: {host: echo}
crons:
  tick: {schedule: "* * * * *", command: [python3, -c, "print('tick')"]}
config:
  VERSION: {required: true}
  BOOT_SECONDS: {default: "1"}
  BROKEN: {type: boolean, default: false}
"""
NEIGHBOUR_YAML = """\
service: side
processes:
  web: {port: 8080, probe: {path: /health}, expose: {host: side}}
config:
  VERSION: {default: "1"}
"""
KINDS = (
    Kind("new connections", clients=2, period=(0.1, 0.1), keeps=False),
    Kind("keep-alive", clients=4, period=(0.1, 0.1)),
    Kind("idle keep-alive, 7 to 10 s", clients=8, period=(7.0, 10.0)),
    Kind("POST of 64 KiB", path="/echo", body=ECHO, clients=2, period=(0.25, 0.25)),
    Kind("answer after 2 s", path="/slow", clients=3, period=(2.5, 2.5)),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was killed. Requests may be lost from `at` until it is well again, `until`, and only then."""

    what: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that acts: the exit codes that it may end with, and the one that it did."""

    what: str
    allowed: tuple[int, ...]
    code: int


@dataclass
class Scene:
    """What was done, and what came of it."""

    ecluse: Ecluse
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    version: int = 0
    kills: int = 0

    async def deploy(self) -> None:
        """The next version: the new value, on every replica."""
        self._wish_next()
        self._note("deployment", await self._deploy())

    async def deploy_a_bad_release(self) -> None:
        """Never ready: what ran before must go on, and no request must notice."""
        self._wish(f"{self.version}-bad", BROKEN="true")
        self._note("bad release", await self._deploy(), allowed=(RESTORED,))
        self._wish(str(self.version))

    async def scale_up_and_down(self) -> None:
        """A replica more, then one less."""
        for replicas in (REPLICAS + 1, REPLICAS):
            self._wish(str(self.version), replicas=replicas)
            self._note("change of replicas", await self._deploy())

    async def welcome_and_part_with_a_neighbour(self) -> None:
        """Another service comes and goes: the gateway must learn a name and forget it under load."""
        folder = self.ecluse.root / "services" / NEIGHBOUR
        shutil.copytree(self.ecluse.root / "services" / SERVICE, folder)
        (folder / "service.yaml").write_text(NEIGHBOUR_YAML)
        await self.ecluse.go("build", NEIGHBOUR, "--quiet", "--version", "1")
        self._note("neighbour that comes", await self._deploy(NEIGHBOUR))
        shutil.rmtree(folder)
        self._note("neighbour that goes", await self._deploy("--all"))
        await go(DOCKER, "image", "rm", f"{PRODUCT}/{NEIGHBOUR}:1")

    async def kill_the_runner(self) -> None:
        """In the middle of a deployment, each time a little later; the command that follows it starts the next."""
        self.kills += 1
        await self._deploy_and(self.kills * 3, "runner", self._crash_the_runner)

    async def kill_the_gateway_in_a_deployment(self) -> None:
        await self._deploy_and(4, "gateway", self.kill_the_gateway, allowed=(SUCCEEDED, RESTORED))
        if self.asked[-1].code == RESTORED:
            self._note("deployment", await self._deploy())

    async def _deploy_and(
        self,
        lines: int,
        what: str,
        act: Callable[[], Awaitable[None]],
        *,
        allowed: tuple[int, ...] = (SUCCEEDED,),
    ) -> None:
        """A deployment during which `act` is done when the terminal has shown so many lines."""
        self._wish_next()
        async with self._deploying() as (process, shown):
            seen = [await shown.readline() for _ in range(lines)]
            await act()
            rest = b"".join(seen) + await shown.read()
            done = Done(await process.wait(), "", rest.decode(errors="replace"))
            self._note(f"deployment in which the {what} is killed", done, allowed=allowed)

    async def kill_the_gateway(self) -> None:
        await self._crash("gateway")

    async def kill_the_edge(self) -> None:
        await self._crash("edge")

    async def kill_a_replica(self) -> None:
        await self._crash("replica")

    @property
    def runner(self) -> int:
        facts = json.loads((self.ecluse.state / PRODUCT / "runner.json").read_text())
        return int(facts["pid"])

    def containers(self, kind: str) -> list[str]:
        mark = f"label=ecluse.machine={machine(self.ecluse)}"
        return docker("ps", "--quiet", "--filter", mark, "--filter", f"label=ecluse.kind={kind}").split()

    async def _crash_the_runner(self) -> None:
        os.kill(self.runner, signal.SIGKILL)

    async def _crash(self, kind: str) -> None:
        """Its main process, as a crash would: Docker takes `docker kill` for a wish, and starts nothing again."""
        container = (await asyncio.to_thread(self.containers, kind))[0]
        pid = int(await asyncio.to_thread(docker, "inspect", "--format", "{{.State.Pid}}", container))
        at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        self.faults.append(Fault(kind, at, at + RECOVERY_SECONDS))
        await self._well_again(at)
        self.faults[-1] = Fault(kind, at, time.monotonic())

    async def _well_again(self, since: float) -> None:
        """Until it has answered for as long as Docker needs to notice, in time; past it nothing is excused."""
        answered_since = time.monotonic()
        while time.monotonic() < since + RECOVERY_SECONDS:
            if not await answers(self.ecluse.port):
                answered_since = time.monotonic()
            if time.monotonic() - answered_since >= WELL_SECONDS:
                return
            await asyncio.sleep(0.1)

    async def _deploy(self, *words: str) -> Done:
        return await self.ecluse.go("deploy", "test", *words, "--yes")

    @asynccontextmanager
    async def _deploying(self) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
        process = await asyncio.create_subprocess_exec(
            str(ECLUSE), "-C", str(self.ecluse.root), "deploy", "test", "--yes",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env=os.environ | dict(self.ecluse.variables),
        )  # fmt: skip
        assert process.stderr is not None
        yield process, process.stderr

    def _wish_next(self) -> None:
        self.version += 1
        self._wish(str(self.version))

    def _wish(self, version: str, *, replicas: int = REPLICAS, **values: str) -> None:
        wish(self.ecluse.root, version, run=f"run:\n  web: {{replicas: {replicas}}}\n", **values)

    def _note(self, what: str, done: Done, *, allowed: tuple[int, ...] = (SUCCEEDED,)) -> None:
        self.asked.append(Asked(what, allowed, done.code))
        if done.code not in allowed:
            progress(f"{what}: ended with {done.code} instead of {allowed}\n{done.err[-3000:]}")


def gateway_files(state: Path) -> set[str]:
    """The names of the files by which the gateway is told what to do."""
    return {item.name for item in (state / PRODUCT / "gateway" / "test").iterdir()}
