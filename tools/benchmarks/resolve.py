"""How long it takes to resolve a whole product, as a person waits for it, and how that grows."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

from benchmarks.crowd import KEYS, company
from benchmarks.installed import ECLUSE, run
from benchmarks.shown import report, timed

SIZES = (50, 100, 200, 400)
ENVIRONMENTS = 6
ROUNDS = 3
ASKED = 200
"""The size on which questions are asked."""


def bench_resolve() -> None:
    print(
        f"Resolving every service in {ENVIRONMENTS} environments, {KEYS} keys a service, half of them by reference,\n"
        f"{ENVIRONMENTS + 1} layers of its own each (`ecluse check`, whole processes)"
    )
    first = None
    for size in SIZES:
        with company(size, ENVIRONMENTS) as root:
            report(f"{size} services", lambda root=root: _check(root), rounds=ROUNDS)
            work = min(_processor_time(lambda root=root: _check(root)) for _ in range(ROUNDS))
            first = first or work / size
            print(
                f"    processor time {work * 1000:.0f} ms; a service, against {SIZES[0]}: {work / size / first:.2f}"
            )
            if size == ASKED:
                _ask(root)
    print(flush=True)


def _check(root: Path) -> None:
    run(ECLUSE, "-C", root, "check")


def _ask(root: Path) -> None:
    for words in (("explain", "e1", "s7", "NEXT_URL"), ("diff", "e1", "e2", "s7"), ("where", "VALUE_2")):
        name = f"there, `ecluse config {words[0]}`"
        report(name, lambda words=words: run(ECLUSE, "-C", root, "config", *words), rounds=ROUNDS)


def _processor_time(act: Callable[[], object]) -> float:
    """What a process took of the processors, whatever else the machine does."""
    before = _children()
    timed(act)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
