"""A product of two services under a steady client, and what is done to it: a deployment, one that fails, a rollback."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import uuid4

from benchmarks.installed import ECLUSE, Ecluse, docker, installed, machine
from benchmarks.subject import PROGRAM

from faults.client import Client

Kind = Literal["deploy", "failing", "rollback"]
SERVICES = ("api", "web")
DYING = Path(__file__).with_name("dying.py")
WAIT_SECONDS = 180.0
ENDS: Mapping[Kind, tuple[str, int]] = {
    "deploy": ("succeeded", 0),
    "failing": ("restored", 10),
    "rollback": ("succeeded", 0),
}
SERVICE_YAML = """\
service: {name}
{uses}processes:
  web:
    port: 8080
    probe: {{path: /health, interval: 200ms, deadline: 4s}}
    drain: 5s
    stop_grace: 10s
    expose: {{host: {name}}}
    rollout: {{judge: false}}
tasks:
  migrate: {{command: [python3, -c, "print('migrated')"], when: before, reversible: true}}
config:
  VERSION: {{required: true}}
  BOOT_SECONDS: {{default: "0.1"}}
  BROKEN: {{type: boolean, default: false}}
"""


@dataclass
class Scene:
    """`version`: what both services should answer with. `said`: the last words of the last command."""

    ecluse: Ecluse
    client: Client
    version: int = 1
    versions: list[int] = field(default_factory=list)
    said: str = ""

    @property
    def product(self) -> str:
        return self.ecluse.product

    @property
    def folder(self) -> Path:
        return self.ecluse.state / self.product

    def wish(self, kind: Kind) -> None:
        """Writes what the next deployment should bring; a rollback brings what was."""
        if kind == "deploy":
            self.versions.append(self.version)
            self.version += 1
            self.write(self.version)
        elif kind == "failing":
            self.write(self.version + 1000, broken="web")
        else:
            self.version = self.versions.pop()

    def write(self, version: int, *, broken: str = "") -> None:
        folder = self.ecluse.root / "config" / "environments" / "test" / "services"
        folder.mkdir(parents=True, exist_ok=True)
        for name in SERVICES:
            more = "  BROKEN: true\n" if name == broken else ""
            (folder / f"{name}.yaml").write_text(f'app:\n  VERSION: "{version}"\n{more}')

    def command(self, kind: Kind) -> subprocess.Popen[str]:
        words = ("rollback", "test", "--yes") if kind == "rollback" else ("deploy", "test", "--yes")
        return self.start(*words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ECLUSE), "-C", str(self.ecluse.root), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | dict(self.ecluse.variables), start_new_session=True,
        )  # fmt: skip

    @contextmanager
    def runner_that_dies(self, event: int, *, before: bool = False, delay: float = 0.0) -> Iterator[None]:
        """In the place of the usual one."""
        self.stop_runner()
        words = [sys.executable, str(DYING), self.product, "--event", str(event), "--delay", f"{delay:g}"]
        with (self.folder / "dying.log").open("ab") as log:
            process = subprocess.Popen(
                [*words, "--before"] if before else words,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=os.environ | dict(self.ecluse.variables),
            )  # fmt: skip
        try:
            until(lambda: self.runner == process.pid, "the runner that dies")
            yield
        finally:
            self.stop_runner()
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def stop_runner(self) -> None:
        self.ecluse.ok("runner", "--stop")

    @property
    def runner(self) -> int | None:
        from ecluse.server.turn import find_runner

        found = find_runner(self.folder)
        return found["pid"] if found else None

    def start_runner(self) -> None:
        """As the unit does at boot."""
        with (self.folder / "boot.log").open("ab") as log:
            process = subprocess.Popen(
                [str(ECLUSE), "runner", "--product", self.product],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=os.environ | dict(self.ecluse.variables), start_new_session=True,
            )  # fmt: skip
        until(lambda: self.runner == process.pid, "the runner at boot")

    @contextmanager
    def runner_of(self, package: Path) -> Iterator[None]:
        """The runner of another version of Écluse, which is in this folder."""
        variables = {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
        with (self.folder / "other.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ecluse.server.runner", self.product],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=os.environ | dict(self.ecluse.variables) | variables, start_new_session=True,
            )  # fmt: skip
        try:
            until(lambda: self.runner == process.pid, "the runner of the other version")
            yield
        finally:
            self.stop_runner()
            process.wait()

    @property
    def lease(self) -> int:
        with self.record() as record:
            (token,) = record.execute("SELECT token FROM leases").fetchone()
            return int(token)

    def forget_tasks(self) -> None:
        """As if no release task had run: so that the next deployment has one to run."""
        with self.record() as record:
            record.execute("DELETE FROM ledger")
            record.commit()

    @contextmanager
    def record(self) -> Iterator[sqlite3.Connection]:
        record = sqlite3.connect(self.folder / "state.sqlite", timeout=30)
        try:
            yield record
        finally:
            record.close()

    def last_deployment(self) -> tuple[int, str]:
        with self.record() as record:
            row = record.execute("SELECT number, state FROM deployments ORDER BY number DESC LIMIT 1")
            number, state = row.fetchone()
            return int(number), str(state)

    def events(self, number: int) -> list[str]:
        with self.record() as record:
            rows = record.execute(
                "SELECT event FROM events WHERE deployment = ? ORDER BY number", (number,)
            ).fetchall()
        return [str(json.loads(text)["kind"]) for (text,) in rows]

    def containers(self) -> list[tuple[str, str, str]]:
        """(kind, service, state) of everything of this installation."""
        format_ = '{{.Label "ecluse.kind"}}|{{.Label "ecluse.service"}}|{{.State}}'
        mark = f"label=ecluse.machine={machine(self.ecluse)}"
        lines = docker("ps", "--all", "--filter", mark, "--format", format_).splitlines()
        return sorted((kind, service, state) for kind, service, state in (line.split("|") for line in lines))

    def runs_since(self, moment: float) -> list[str]:
        """Each container of a task that was started since (time.time()), by service."""
        lines = docker(
            "events", "--since", f"{moment:.3f}", "--until", f"{time.time():.3f}",
            "--filter", "event=start", "--filter", "label=ecluse.kind=run",
            "--filter", f"label=ecluse.machine={machine(self.ecluse)}",
            "--format", '{{index .Actor.Attributes "ecluse.service"}}',
        ).splitlines()  # fmt: skip
        return sorted(lines)


@contextmanager
def scene(*, state: Path | None = None) -> Iterator[Scene]:
    """The product, deployed once, under its client. Nothing of it is left at the end."""
    with tempfile.TemporaryDirectory(prefix="ef") as folder:
        root = Path(folder)
        write_product(root, f"f{uuid4().hex[:6]}")
        with installed(root, state=state) as ecluse:
            yield from _deployed(ecluse)


def _deployed(ecluse: Ecluse) -> Iterator[Scene]:
    hosts = [f"{name}.faults.localhost" for name in SERVICES]
    found = Scene(ecluse, Client(ecluse.port, hosts))
    found.write(1)
    ecluse.ok("build", "--quiet", "--version", "1")
    ecluse.ok("deploy", "test", "--yes")
    with found.client.asking():
        yield found


def write_product(root: Path, product: str) -> None:
    (root / "ecluse.yaml").write_text(
        f"product: {product}\nenvironments:\n  test: {{engine: docker, domain: faults.localhost}}\n"
    )
    for name in SERVICES:
        shutil.copytree(PROGRAM, root / "services" / name)
        uses = "uses: [api]\n" if name == "web" else ""
        (root / "services" / name / "service.yaml").write_text(SERVICE_YAML.format(name=name, uses=uses))


def until(holds: Callable[[], bool], what: str, *, seconds: float = WAIT_SECONDS) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)
