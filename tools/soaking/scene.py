"""The product that lives through the day, its load, and what is done to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.installed import ECLUSE, Done, Ecluse, docker, machine
from benchmarks.load import ECHO, Kind
from benchmarks.shown import progress
from benchmarks.subject import wish

PRODUCT = "soak"
REPLICAS = 2
RESTORED = 10
SERVICE_YAML = """\
service: echo
processes:
  web:
    port: 8080
    probe: {path: /health, deadline: 6s}
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
KINDS = (
    Kind("new connections", clients=2, period=(0.1, 0.1), keeps=False),
    Kind("keep-alive", clients=4, period=(0.1, 0.1)),
    Kind("idle keep-alive, 7 to 10 s", clients=8, period=(7.0, 10.0)),
    Kind("POST of 64 KiB", path="/echo", body=ECHO, clients=2, period=(0.25, 0.25)),
    Kind("answer after 2 s", path="/slow", clients=3, period=(2.5, 2.5)),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was killed. Requests may be lost from `at` until `until`, and only then."""

    what: str
    at: float
    until: float


@dataclass
class Scene:
    """What was done, and what came of it."""

    ecluse: Ecluse
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    version: int = 0

    async def deploy(self) -> None:
        """The next version: the new value, on every replica."""
        self.version += 1
        self._wish(str(self.version))
        self._note("deployment", 0, await self._deploy())

    async def deploy_a_bad_release(self) -> None:
        """Never ready: what ran before must go on, and no request must notice."""
        self._wish(f"{self.version}-bad", BROKEN="true")
        self._note("bad release", RESTORED, await self._deploy())
        self._wish(str(self.version))

    async def kill_the_runner(self) -> None:
        """In the middle of a deployment; the command that follows it starts the next runner."""
        self.version += 1
        self._wish(str(self.version))
        async with self._deploying() as (process, lines):
            async for line in lines:
                if b"replica" in line or b"ready" in line or b"started" in line:
                    os.kill(self.runner, signal.SIGKILL)
                    break
            rest = (await lines.read()).decode(errors="replace")
            self._note("deployment whose runner is killed", 0, Done(await process.wait(), "", rest))

    async def kill_the_gateway(self) -> None:
        await self._kill("gateway", seconds=5.0)

    async def kill_a_replica(self) -> None:
        await self._kill("replica", seconds=8.0)

    @property
    def runner(self) -> int:
        facts = json.loads((self.ecluse.state / PRODUCT / "runner.json").read_text())
        return int(facts["pid"])

    def containers(self, kind: str) -> list[str]:
        mark = f"label=ecluse.machine={machine(self.ecluse)}"
        return docker("ps", "--quiet", "--filter", mark, "--filter", f"label=ecluse.kind={kind}").split()

    async def _kill(self, kind: str, *, seconds: float) -> None:
        """Its main process, as a crash would: Docker takes `docker kill` for a wish, and starts nothing again."""
        container = (await asyncio.to_thread(self.containers, kind))[0]
        pid = int(await asyncio.to_thread(docker, "inspect", "--format", "{{.State.Pid}}", container))
        at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        self.faults.append(Fault(kind, at, at + seconds))
        await asyncio.sleep(seconds)

    async def _deploy(self) -> Done:
        return await self.ecluse.go("deploy", "test", "--yes")

    @asynccontextmanager
    async def _deploying(self) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
        process = await asyncio.create_subprocess_exec(
            str(ECLUSE), "-C", str(self.ecluse.root), "deploy", "test", "--yes",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env=os.environ | dict(self.ecluse.variables),
        )  # fmt: skip
        assert process.stderr is not None
        yield process, process.stderr

    def _wish(self, version: str, **values: str) -> None:
        wish(self.ecluse.root, version, run=f"run:\n  web: {{replicas: {REPLICAS}}}\n", **values)

    def _note(self, what: str, expected: int, done: Done) -> None:
        self.asked.append((what, expected, done.code))
        if done.code != expected:
            progress(f"{what}: ended with {done.code} instead of {expected}\n{done.err[-3000:]}")


def gateway_files(state: Path) -> set[str]:
    """The names of the files by which the gateway is told what to do."""
    return {item.name for item in (state / PRODUCT / "gateway" / "test").iterdir()}
