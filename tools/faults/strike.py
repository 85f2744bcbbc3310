"""One fault each, from the wish to what is left of it. Each gives what is not as it should be."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installed import docker, machine

from faults.check import Begun, problems
from faults.scene import ENDS, WAIT_SECONDS, Kind, Scene, until

KINDS: tuple[Kind, ...] = ("deploy", "failing", "rollback")
RECOVERY_SECONDS = 15.0
FULL_SECONDS = 8.0
"""Longer than two heartbeats of the runner."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where the runner dies: at the n-th event, just before it is recorded, or some time after."""

    kind: Kind
    event: int
    before: bool = False
    delay: float = 0.0

    def __str__(self) -> str:
        where = "before" if self.before else f"{self.delay * 1000:.0f} ms after" if self.delay else "on"
        return f"{self.kind}, {where} event {self.event}"


def the_runner(scene: Scene, point: Point) -> list[str]:
    """Kills the runner. Nobody does anything then: the command that follows the deployment sees to the next."""
    _precede(scene, point.kind)
    with scene.runner_that_dies(point.event, before=point.before, delay=point.delay):
        begun = _begin(scene, point.kind)
        code = _end(scene, scene.command(point.kind))
    return problems(scene, point.kind, begun, code=code)


def the_command(scene: Scene, kind: Kind, event: int) -> list[str]:
    """Kills the command that watches; the runner goes on."""
    begun = _begin(scene, kind)
    command = _reach(scene, kind, event)
    command.kill()
    command.communicate()
    until(lambda: scene.last_deployment()[1] == ENDS[kind][0], "its end without anybody who watches")
    return problems(scene, kind, begun, code=None)


def the_upgrade(scene: Scene, kind: Kind, event: int, newer: Path) -> list[str]:
    """Starts the runner of a newer Écluse in the middle, as its first acting command does. newer: its package."""
    _precede(scene, kind)
    begun = _begin(scene, kind)
    command = _reach(scene, kind, event)
    former, lease = scene.runner, scene.lease
    with scene.runner_of(newer):
        code = _end(scene, command)
        found = (
            [] if scene.lease > lease and scene.runner != former else ["the newer runner did not take over"]
        )
        return [*found, *problems(scene, kind, begun, code=code)]


def the_gateway(scene: Scene, kind: Kind, event: int) -> list[str]:
    """Crashes the gateway: Docker starts it again, and until then requests may be lost."""
    begun = _begin(scene, kind)
    command = _reach(scene, kind, event)
    crash(scene, "gateway")
    code = _end(scene, command)
    if code == ENDS["failing"][1] and kind != "failing":
        # what was new could not be looked at: it was brought back, and comes when it is asked for again
        code = _end(scene, scene.command("deploy"))
    until(lambda: _answers(scene), "answers", seconds=60)
    return problems(scene, kind, begun, code=code, excused_until=begun.ticks + RECOVERY_SECONDS)


def the_power(scene: Scene, kind: Kind, event: int) -> list[str]:
    """Kills everything of ours at once, and tears the page that was written last. At the next boot the unit starts a
    runner, which finds what the record still holds."""
    _precede(scene, kind)
    with scene.runner_that_dies(event):
        begun = _begin(scene, kind)
        before, _ = scene.last_deployment()
        command = scene.command(kind)
        until(lambda: scene.last_deployment()[0] > before, "the deployment")
        command.kill()
        command.communicate()
        until(lambda: scene.runner is None, "the death of the runner")
        tear(scene.folder / "state.sqlite")
    scene.start_runner()
    until(lambda: scene.last_deployment()[1] == ENDS[kind][0], "the end that is due")
    return problems(scene, kind, begun, code=None)


def the_room(scene: Scene, kind: Kind, event: int) -> list[str]:
    """Fills the disk of the record, and makes room again when the runner has noticed. The state must be on a file
    system of its own."""
    begun = _begin(scene, kind)
    lease, runner = scene.lease, scene.runner
    command = _reach(scene, kind, event)
    filler = scene.ecluse.state / "filler"
    fill(filler)
    time.sleep(FULL_SECONDS)
    found = [] if scene.last_deployment()[1] == "running" else ["it did not wait for room"]
    scene.ecluse.ok("status", "test")
    filler.unlink()
    code = _end(scene, command)
    if (scene.runner, scene.lease) != (runner, lease + 1):
        found.append(f"the runner did not begin anew: process {scene.runner}, lease {scene.lease}")
    return [*found, *problems(scene, kind, begun, code=code)]


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


def tear(record: Path) -> None:
    """Leaves half of the last page that was committed to the log of a record (sqlite.org/fileformat2.html, 4.1), in
    new files: after a boot, nobody has the old ones open."""
    wal = record.with_name(f"{record.name}-wal")
    data = wal.read_bytes()
    size = 24 + int.from_bytes(data[8:12], "big")
    last = 32
    while data[last + size + 8 : last + size + 16] == data[16:24]:
        last += size
    assert data[last + 8 : last + 16] == data[16:24], "nothing was committed to the log"
    for path, left in ((record, record.read_bytes()), (wal, data[: last + size // 2])):
        path.unlink()
        path.write_bytes(left)
    record.with_name(f"{record.name}-shm").unlink(missing_ok=True)


def crash(scene: Scene, kind: str) -> None:
    """Kills the main process of a container, as a crash would: what `docker kill` stops is not started again."""
    mark = f"label=ecluse.machine={machine(scene.ecluse)}"
    (identity,) = docker("ps", "--quiet", "--filter", mark, "--filter", f"label=ecluse.kind={kind}").split()
    os.kill(int(docker("inspect", "--format", "{{.State.Pid}}", identity)), signal.SIGKILL)


def points(events: dict[Kind, int], runs: int, seed: int) -> Iterator[Point]:
    """Every event of every kind, then random moments within steps, `runs` in all at least. A rollback goes back to
    what a deployment brought, so they alternate."""
    chance = random.Random(seed)
    given = 0
    for event in range(1, max(events.values()) + 1):
        for kind in KINDS:
            if event <= events[kind]:
                given += 1
                yield Point(kind, event)
            elif kind == "deploy":
                yield Point(kind, 1)
    while given < runs:
        for kind in KINDS:
            given += 1
            event = chance.randint(1, events[kind])
            yield Point(kind, event, before=chance.random() < 0.2, delay=chance.uniform(0.0, 0.6))


def undisturbed(scene: Scene, kind: Kind) -> int:
    """How many events there are when nothing is killed."""
    begun = _begin(scene, kind)
    code = _end(scene, scene.command(kind))
    if found := problems(scene, kind, begun, code=code):
        raise AssertionError(f"undisturbed {kind}: {found}")
    return len(scene.events(scene.last_deployment()[0]))


def _reach(scene: Scene, kind: Kind, event: int) -> subprocess.Popen[str]:
    """The command whose deployment has come to this event."""
    before, _ = scene.last_deployment()
    command = scene.command(kind)
    until(lambda: scene.last_deployment()[0] > before, "the deployment")
    number, _ = scene.last_deployment()
    until(lambda: len(scene.events(number)) >= event, f"event {event}")
    return command


def _precede(scene: Scene, kind: Kind) -> None:
    """There must be something to go back to."""
    if kind == "rollback" and not scene.versions:
        undisturbed(scene, "deploy")


def _begin(scene: Scene, kind: Kind) -> Begun:
    scene.forget_tasks()
    begun = Begun.now()
    scene.wish(kind)
    return begun


def _end(scene: Scene, command: subprocess.Popen[str]) -> int:
    out, _ = command.communicate(timeout=WAIT_SECONDS)
    scene.said = out.strip()[-400:]
    assert command.returncode is not None
    return command.returncode


def _answers(scene: Scene) -> bool:
    time.sleep(0.2)
    try:
        return all(scene.client.version(host) for host in scene.client.hosts)
    except OSError:
        return False
