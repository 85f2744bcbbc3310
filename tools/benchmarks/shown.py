"""How figures are shown: the machine, times of several rounds, tables. Progress goes to standard error."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

ROUNDS = 7
DOCKER = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else "docker"


def show_machine() -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    print(
        f"machine: {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform()}, load {load:.1f} at the start"
    )
    print(f"docker:  {_docker_version()}   python: {platform.python_version()}\n", flush=True)


def _docker_version() -> str:
    shown = "client {{.Client.Version}}, engine {{.Server.Version}}"
    done = subprocess.run([DOCKER, "version", "--format", shown], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "none"


def report(name: str, act: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The median of several rounds in seconds, after one that does not count; prints it with the range."""
    act()
    seconds = sorted(timed(act) for _ in range(rounds))
    median = statistics.median(seconds)
    print(
        f"  {name:<44} {median * 1000:9.1f} ms   ({seconds[0] * 1000:.1f} to {seconds[-1] * 1000:.1f})",
        flush=True,
    )
    return median


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need; the first to the left, figures to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  " + "  ".join(cells).rstrip(), flush=True)


def milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f}"


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed; None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def progress(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
