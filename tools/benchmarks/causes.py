"""From the command until it is known why a service does not run: Écluse beside docker-compose, each way of failing."""

from __future__ import annotations

import math
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import corpus
from benchmarks.corpus import LEFT_OUT, WELL, Case
from benchmarks.installed import Ecluse, Failed, installed, run
from benchmarks.shown import DOCKER, progress, table
from benchmarks.ways import COMPOSE_PROJECT, Missing, compose

LIMIT_SECONDS = 90.0
"""After it docker-compose's containers are taken to show nothing: longer than every deadline of the corpus."""
_LOOK_SECONDS = 0.1
_NEVER = math.inf
_HEAD = ("seconds until", "cause shown", "ecluse ended", "up ended", "compose shows", "as", "ratio")


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds from the command on. shown: until the failure could be seen; ended: until the command had ended."""

    shown: float
    ended: float
    state: str = ""


Way = Callable[[Case], Found]


def bench_causes(only: Sequence[str], rounds: int) -> int:
    """Prints a row for each case; gives how many were not told by ecluse as the corpus expects."""
    print(
        "Ways of failing: until ecluse has the cause on the screen, and until docker-compose's container is exited,\n"
        f"unhealthy, or `up -d` has failed; as patient as the probe, `never` after {LIMIT_SECONDS:.0f} s"
    )
    cases = [corpus.read(name) for name in only or corpus.names()]
    with corpus.corpus(cases) as root, installed(root) as ecluse:
        progress("building")
        ecluse.ok("build", "--quiet", "--version", "1")
        ecluse.ok("deploy", "test", WELL, "--yes")
        try:
            with _composed(root) as command:
                ways = (partial(by_ecluse, ecluse), partial(by_compose, command))
                rows = [(case, *_measured(case, ways, rounds)) for case in cases]
        except Missing as error:
            print(f"  skipped: {error}\n", flush=True)
            return 0
    _show(rows)
    if not only:
        for name, reason in LEFT_OUT.items():
            print(f"  left out: {name}: {reason}")
    print(flush=True)
    return sum(ours.shown == _NEVER for _, ours, _ in rows)


def _measured(case: Case, ways: tuple[Way, Way], rounds: int) -> tuple[Found, Found]:
    """The medians of both ways, which take turns, so that a busy machine is busy for both."""
    progress(f"{case.name}, {rounds} times by each way")
    found = [(ways[0](case), ways[1](case)) for _ in range(rounds)]
    return _median([ours for ours, _ in found]), _median([theirs for _, theirs in found])


def _median(found: Sequence[Found]) -> Found:
    return Found(
        statistics.median_high(item.shown for item in found),
        statistics.median_high(item.ended for item in found),
        "/".join(sorted({item.state for item in found})),
    )


def by_ecluse(ecluse: Ecluse, case: Case) -> Found:
    """A deployment, read as it comes. The reason lets in again what an earlier round has quarantined."""
    begun, shown = time.perf_counter(), _NEVER
    lines = ecluse.lines("deploy", "test", case.name, "--yes", "--override", "measured again")
    try:
        for line in lines:
            if shown == _NEVER and case.sentence in line:
                shown = time.perf_counter() - begun
        told = "it ended well"
    except Failed as error:
        told = str(error)
    ended = time.perf_counter() - begun
    if shown == _NEVER:
        progress(f"{case.name}: not told: {case.sentence}\n{told}")
    return Found(shown, ended)


@contextmanager
def _composed(root: Path) -> Iterator[Sequence[object]]:
    command = (compose(), "-f", root / "docker-compose.json", "-p", COMPOSE_PROJECT)
    try:
        run(*command, "up", "-d", WELL)
        yield command
    finally:
        run(*command, "down", "-t", "1")


def by_compose(command: Sequence[object], case: Case) -> Found:
    """`up -d`, then a look at the container again and again, as a script would do it."""
    begun = time.perf_counter()
    try:
        code = _up(command, case)
        ended = time.perf_counter() - begun
        if code is None:
            return Found(_NEVER, _NEVER, "never")
        if code:
            return Found(ended, ended, "up failed")
        while time.perf_counter() - begun < LIMIT_SECONDS:
            if state := _bad_state(case):
                return Found(time.perf_counter() - begun, ended, state)
            time.sleep(_LOOK_SECONDS)
        return Found(_NEVER, ended, "never")
    finally:
        subprocess.run([DOCKER, "rm", "--force", "--volumes", *corpus.containers(case)], capture_output=True)


def _up(command: Sequence[object], case: Case) -> int | None:
    """Its exit code; None when it was still at it after the limit."""
    words = [str(word) for word in (*command, "up", "-d", case.name)]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()


def _bad_state(case: Case) -> str:
    shown = "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
    states = run(DOCKER, "inspect", "--format", shown, corpus.containers(case)[0]).split()
    return next((state for state in ("exited", "unhealthy") if state in states), "")


def _show(rows: Sequence[tuple[Case, Found, Found]]) -> None:
    ratios = [min(theirs.shown, LIMIT_SECONDS) / ours.shown for _, ours, theirs in rows]
    table(_HEAD, [_row(*row, ratio) for row, ratio in zip(rows, ratios, strict=True)])
    never = sum(theirs.shown == _NEVER for _, _, theirs in rows)
    print(
        f"  ratio: compose shows / cause shown; median {statistics.median(ratios):.1f}, least {min(ratios):.1f}; "
        f"docker-compose never showed {never} of {len(rows)}"
    )


def _row(case: Case, ours: Found, theirs: Found, ratio: float) -> Sequence[str]:
    at_least = ">" if theirs.shown == _NEVER else ""
    times = (ours.shown, ours.ended, theirs.ended, theirs.shown)
    return (case.name, *(_seconds(item) for item in times), theirs.state, f"{at_least}{ratio:.1f}")


def _seconds(seconds: float) -> str:
    return "never" if seconds == _NEVER else f"{seconds:.2f}"
