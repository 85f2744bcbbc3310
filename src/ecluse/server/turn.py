"""Becoming the runner of a product: one process at a time, and a newer version in the place of an older one.

Who wants to be the runner takes its turn first, then stops a runner of an older version, then takes the lock. Nobody
else starts or stops a runner meanwhile, and so an older command cannot put another older runner in between.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypedDict

from ecluse import __version__
from ecluse.errors import Busy, EcluseError, TimedOut
from ecluse.server.names import FACTS, LOCK, TURN

STOP_SECONDS = 10.0
TURN_SECONDS = 30.0
LOOK_SECONDS = 0.2
"""Longer than anybody only looks whether the turn is taken."""
_POLL_SECONDS = 0.02


class RunnerFacts(TypedDict):
    pid: int
    version: str


@contextmanager
def holding(state: Path) -> Iterator[bool]:
    """Holds the runner's lock; False when another process of this version or a newer one has it, or is about to."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / LOCK).open("a") as lock:
        with turn(state, seconds=LOOK_SECONDS) as is_mine:
            if not is_mine or not _take_place(state, lock):
                yield False
                return
            while not _write_facts(state):
                time.sleep(1.0)
        yield True


def _write_facts(state: Path) -> bool:
    """False when there is no room: nobody may take us for somebody else meanwhile, so we wait."""
    draft = state / f".{FACTS}.{os.getpid()}"
    try:
        draft.write_text(json.dumps({"pid": os.getpid(), "version": __version__}))
        draft.replace(state / FACTS)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return False
        raise
    return True


@contextmanager
def turn(state: Path, *, seconds: float) -> Iterator[bool]:
    """The right to start or stop a runner; False when another process has not given it back within `seconds`."""
    with (state / TURN).open("a") as file:
        limit = time.monotonic() + seconds
        while not (is_mine := _locked(file)) and time.monotonic() < limit:
            time.sleep(_POLL_SECONDS)
        yield is_mine


def find_runner(state: Path) -> RunnerFacts | None:
    """Who holds the runner's lock, or None."""
    if not is_held(state, LOCK):
        return None
    return _facts(state)


def is_turning(state: Path) -> bool:
    """Whether a process is about to become the runner."""
    return is_held(state, TURN)


def is_held(state: Path, name: str) -> bool:
    try:
        with (state / name).open("r") as file:
            # shared: those who only look are not in each other's way
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def stop_runner(state: Path) -> bool:
    """Stops the runner; what it has in hand goes on when the next one starts. False when there is none."""
    if find_runner(state) is None and not is_turning(state):
        return False
    with turn(state, seconds=TURN_SECONDS) as is_mine:
        if not is_mine:
            raise Busy("another process has been starting or stopping the runner for 30 s")
        found = find_runner(state)
        if found is None:
            return False
        _stop(state, found)
    return True


def is_older(version: str) -> bool:
    """Is it older than this version? What cannot be read is."""
    return _numbers(version) < _numbers(__version__)


def _take_place(state: Path, lock: IO[str]) -> bool:
    """The lock, taken from an older runner where one has it."""
    limit = time.monotonic() + STOP_SECONDS
    while not _locked(lock):
        found = find_runner(state)
        if found is None:
            # somebody only looked
            time.sleep(_POLL_SECONDS)
        elif not is_older(found["version"]):
            return False
        else:
            _stop(state, found)
        if time.monotonic() > limit:
            return False
    return True


def _stop(state: Path, found: RunnerFacts) -> None:
    if found["pid"] <= 0:
        raise EcluseError(
            f"a runner is at work, and {state / FACTS} does not tell its process",
            hint="stop it, then try again",
        )
    with suppress(ProcessLookupError):
        os.kill(found["pid"], signal.SIGTERM)
    limit = time.monotonic() + STOP_SECONDS
    while is_held(state, LOCK):
        if time.monotonic() > limit:
            raise TimedOut(f"the runner (process {found['pid']}) did not stop within {STOP_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _facts(state: Path) -> RunnerFacts:
    """The holder writes its facts just after it took the lock: a short wait covers the gap."""
    for _ in range(50):
        try:
            facts: RunnerFacts = json.loads((state / FACTS).read_text())
            return facts
        except (OSError, ValueError):
            time.sleep(_POLL_SECONDS)
    return {"pid": 0, "version": "unknown"}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:4])
