"""Starts the runner of a product from another process, detached."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from ecluse.errors import CutShort, EcluseError, TimedOut
from ecluse.server.names import LOG
from ecluse.server.turn import RunnerFacts, find_runner, is_older, is_turning, stop_runner
from ecluse.settings import Settings

START_SECONDS = 20.0
BUSY = 6
LEAST_ROOM = 1 << 20

__all__ = ["RunnerFacts", "ensure_runner", "find_runner", "stop_runner"]


def ensure_runner(product: str, settings: Settings) -> None:
    """Starts the runner, detached from this command, unless one of this version or a newer one is at work. It takes
    the place of an older one itself (server/turn.py)."""
    state = settings.product_state(product)
    if _is_served(state):
        return
    process = _spawn(product, state)
    limit = time.monotonic() + START_SECONDS
    while not _is_served(state):
        if process.poll() not in (None, BUSY):
            raise EcluseError(
                f"the runner did not start: {_last_line(state / LOG)}", hint=f"see {state / LOG}"
            )
        if time.monotonic() > limit:
            if _is_full(state):
                raise CutShort(
                    f"no room is left where the record is ({state}); the runner waits for it",
                    hint="make room: what is in hand goes on by itself then",
                )
            raise TimedOut(
                f"the runner did not start within {START_SECONDS:.0f} s", hint=f"see {state / LOG}"
            )
        if process.poll() == BUSY and not is_turning(state):
            # it gave way to one that has ended since
            process = _spawn(product, state)
        time.sleep(0.02)
    _spare(process, state)


def _spare(process: subprocess.Popen[bytes], state: Path) -> None:
    """One that we started, and that is not needed since another came first, must not take that one's place later."""
    found = find_runner(state)
    if found is not None and found["pid"] != process.pid and process.poll() is None:
        process.terminate()


def _is_served(state: Path) -> bool:
    found = find_runner(state)
    return found is not None and not is_older(found["version"])


def _is_full(state: Path) -> bool:
    found = os.statvfs(state)
    return found.f_bavail * found.f_frsize < LEAST_ROOM


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


def _last_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip().splitlines()[-1]
    except (OSError, IndexError):
        return "it said nothing"
