"""How resolving grows with the product: time per service should not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.crowd import KEYS, crowd
from benchmarks.shown import report

SIZES = (100, 200, 400)


def bench_resolve() -> None:
    print(f"Resolving one environment, {KEYS} keys a service, half of them by reference (in process)")
    first = None
    for size in SIZES:
        with crowd(size) as root:
            seconds = report(f"{size} services", _resolver(root))
            first = first or seconds / size
            print(f"    per service, against the smallest: {seconds / size / first:.2f}")
    print(flush=True)


def _resolver(root: Path) -> Callable[[], None]:
    from ecluse.config.check import check
    from ecluse.config.load import load
    from ecluse.config.workspace import open_workspace
    from ecluse.secrets.memory import MemorySecrets, MemoryVault

    configuration = load(open_workspace(root))

    def resolve() -> None:
        problems, _ = check(configuration, MemorySecrets(), MemoryVault())
        assert not problems, problems

    return resolve
