"""Drives commands as a person would: the installed `ecluse` with a state and an edge port of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shown import DOCKER

ECLUSE = Path(sys.executable).with_name("ecluse")
COMMAND_SECONDS = 3600.0


class Failed(Exception):
    """A command that ended otherwise than with 0."""


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Ecluse:
    """`ecluse -C root`."""

    root: Path
    state: Path
    port: int
    https: int = 0

    def ok(self, *words: object) -> str:
        return run(ECLUSE, "-C", self.root, *words, **self.variables)

    def json(self, *words: object) -> Any:
        return json.loads(self.ok(*words, "--json"))

    async def go(self, *words: object) -> Done:
        """The same without holding up a load that runs in this process."""
        return await go(ECLUSE, "-C", self.root, *words, **self.variables)

    def lines(self, *words: object) -> Iterator[str]:
        """The narration of a long command, as it comes; Failed when it does not end well."""
        command = [str(word) for word in (ECLUSE, "-C", self.root, *words)]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=os.environ | dict(self.variables),
        ) as process:  # fmt: skip
            assert process.stderr is not None
            last: deque[str] = deque(maxlen=20)
            for line in process.stderr:
                last.append(line)
                yield line
        if process.returncode:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(last)}")

    @property
    def product(self) -> str:
        lines = (self.root / "ecluse.yaml").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("product:"))

    @property
    def variables(self) -> Mapping[str, str]:
        return {
            "ECLUSE_STATE": str(self.state),
            "ECLUSE_EDGE_HTTP_PORT": str(self.port),
            "ECLUSE_EDGE_HTTPS_PORT": str(self.https),
            "ECLUSE_BUILD_NETWORK": os.environ.get("ECLUSE_BUILD_NETWORK", "host"),
            "NO_COLOR": "1",
        }


@contextmanager
def installed(
    root: Path, *, environment: str = "test", secure: bool = False, state: Path | None = None
) -> Iterator[Ecluse]:
    """The command for the product in `root`; at the end nothing of the product is left on the machine."""
    ecluse = Ecluse(
        root, state or Path(tempfile.mkdtemp(prefix="es")), free_port(), free_port() if secure else 0
    )
    try:
        yield ecluse
    finally:
        for words in (("down", environment, "--volumes", "--yes"), ("runner", "--stop")):
            subprocess.run(
                [str(ECLUSE), "-C", str(root), *words],
                capture_output=True,
                env=os.environ | dict(ecluse.variables),
            )
        sweep(ecluse)
        shutil.rmtree(ecluse.state, ignore_errors=True)


def sweep(ecluse: Ecluse) -> None:
    """What a run that was cut short left, and the releases that were made for it; what another run made stays.

    The build cache keeps what is slow to make."""
    mark = f"label=ecluse.machine={machine(ecluse)}"
    for kind, listing, removal in (
        ("container", ("ls", "--all", "--quiet"), ("rm", "--force", "--volumes")),
        ("network", ("ls", "--quiet"), ("rm",)),
        ("volume", ("ls", "--quiet"), ("rm", "--force")),
    ):
        if found := docker(kind, *listing, "--filter", mark).split():
            subprocess.run([DOCKER, kind, *removal, *found], capture_output=True)
    product, services = ecluse.product, {folder.name for folder in (ecluse.root / "services").iterdir()}
    shown = docker(
        "image", "ls", "--filter", f"label=ecluse.product={product}", "--format", "{{.Repository}}:{{.Tag}}"
    )
    tags = [tag for tag in shown.split() if tag.partition(":")[0].rpartition("/")[2] in services]
    if tags:
        subprocess.run([DOCKER, "image", "rm", *tags], capture_output=True)


def machine(ecluse: Ecluse) -> str:
    """The label by which parts of this installation are told from those of others on the same engine."""
    from ecluse.engines.docker.labels import machine_id

    return machine_id(ecluse.state / "_machine")


def end_tidily() -> None:
    """An end that is asked for takes away what was made, as an error does."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def run(*command: object, **environment: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | environment
    )
    if done.returncode:
        raise Failed(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


async def go(*command: object, **environment: str) -> Done:
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in command),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )  # fmt: skip
    async with asyncio.timeout(COMMAND_SECONDS):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


def docker(*words: object) -> str:
    return run(DOCKER, *words).strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
