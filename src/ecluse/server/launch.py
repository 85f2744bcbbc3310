"""Starts, finds and stops the runner of a product from another process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

from ecluse import __version__
from ecluse.errors import EcluseError, TimedOut
from ecluse.server.names import FACTS, LOCK, LOG
from ecluse.settings import Settings

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class RunnerFacts(TypedDict):
    pid: int
    version: str


def find_runner(state: Path) -> RunnerFacts | None:
    """Who holds the runner's lock, or None."""
    try:
        with (state / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        return _facts(state)
    except OSError:
        return None


def ensure_runner(product: str, settings: Settings) -> None:
    """Starts the runner, detached from this command, unless one of this version is at work."""
    state = settings.product_state(product)
    found = find_runner(state)
    if found is not None and found["version"] == __version__:
        return
    if found is not None:
        stop_runner(state)
    process = _spawn(product, state)
    limit = time.monotonic() + START_SECONDS
    while find_runner(state) is None:
        if process.poll() not in (None, 6):
            raise EcluseError(
                f"the runner did not start: {_last_line(state / LOG)}", hint=f"see {state / LOG}"
            )
        if time.monotonic() > limit:
            raise TimedOut(
                f"the runner did not start within {START_SECONDS:.0f} s", hint=f"see {state / LOG}"
            )
        time.sleep(0.02)


def stop_runner(state: Path) -> bool:
    """Stops the runner; what it has in hand goes on when the next one starts. False when there is none."""
    found = find_runner(state)
    if found is None:
        return False
    os.kill(found["pid"], signal.SIGTERM)
    limit = time.monotonic() + STOP_SECONDS
    while find_runner(state) is not None:
        if time.monotonic() > limit:
            raise TimedOut(f"the runner (process {found['pid']}) did not stop within {STOP_SECONDS:.0f} s")
        time.sleep(0.02)
    return True


def _spawn(product: str, state: Path) -> subprocess.Popen[bytes]:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ecluse.server.runner", product],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _facts(state: Path) -> RunnerFacts:
    """The holder writes its facts just after it took the lock: a short wait covers the gap."""
    for _ in range(50):
        try:
            facts: RunnerFacts = json.loads((state / FACTS).read_text())
            return facts
        except (OSError, ValueError):
            time.sleep(0.02)
    return {"pid": 0, "version": "unknown"}


def _last_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip().splitlines()[-1]
    except (OSError, IndexError):
        return "it said nothing"
