"""How long a command takes that does nothing."""

from __future__ import annotations

import sys

from benchmarks.installed import ECLUSE, run
from benchmarks.shown import report


def bench_start() -> None:
    print("Start-up, whole processes")
    bare = report("python -c pass", lambda: run(sys.executable, "-c", "pass"))
    ours = report("ecluse --help", lambda: run(ECLUSE, "--help"))
    print(f"  ratio {ours / bare:.1f}\n", flush=True)
