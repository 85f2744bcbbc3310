"""A plan with nothing to do, as whole processes, against docker-compose with as many services up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.crowd import crowd
from benchmarks.installed import Ecluse, Failed, installed, run
from benchmarks.shown import progress, report
from benchmarks.ways import COMPOSE_PROJECT, Missing, compose

# it waits for itself for ever when there are more services than it may do at once, 64 unless it is told
_PATIENCE = {"COMPOSE_HTTP_TIMEOUT": "600", "COMPOSE_PARALLEL_LIMIT": "1000"}
_NOTHING = "nothing to do"


def bench_plan(sizes: Sequence[int]) -> None:
    print("A plan with nothing to do, whole processes, against docker-compose with as many services up")
    for size in sizes:
        with crowd(size) as root, installed(root) as ecluse:
            _bring(ecluse, size)
            ours = report(f"ecluse plan, {size} services", lambda ecluse=ecluse: _plan(ecluse))
            try:
                theirs = _rival(root, size)
                print(f"  ratio {ours / theirs:.2f}")
            except Missing as error:
                print(f"  skipped: {error}")
            progress(f"{size} services: taking them away")
    print(flush=True)


def _bring(ecluse: Ecluse, size: int) -> None:
    progress(f"{size} services: building")
    ecluse.ok("build", "--quiet", "--version", "1")
    progress(f"{size} services: deploying")
    ready = 0
    for line in ecluse.lines("deploy", "test", "--yes"):
        ready += "ready" in line
        if "ready" in line and ready % 10 == 0:
            progress(f"{size} services: {ready} ready")


def _plan(ecluse: Ecluse) -> None:
    shown = ecluse.ok("plan", "test")
    if _NOTHING not in shown:
        raise Failed(f"a plan that should be empty is not:\n{shown}")


def _rival(root: Path, size: int) -> float:
    command = (compose(), "-f", root / "docker-compose.yaml", "-p", COMPOSE_PROJECT)
    with _composed(root, size, command):
        return report(
            f"docker-compose up -d, {size} services", lambda: run(*command, "up", "-d", **_PATIENCE)
        )


@contextmanager
def _composed(root: Path, size: int, command: Sequence[object]) -> Iterator[None]:
    services = "".join(
        f"  s{number}:\n    image: bench/s{number}:1\n    command: [sleep, infinity]\n    init: true\n"
        for number in range(size)
    )
    (root / "docker-compose.yaml").write_text(f'version: "2.4"\nservices:\n{services}')
    progress(f"{size} services: starting them with docker-compose too")
    try:
        run(*command, "up", "-d", **_PATIENCE)
        yield
    finally:
        run(*command, "down", "-t", "1", **_PATIENCE)
