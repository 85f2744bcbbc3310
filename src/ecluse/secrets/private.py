"""The editor's private file: the one place where plain texts are on a disk, in memory where the system can.

It goes when the work ends, when a signal ends it, and when the process is killed: a guardian waits for that. What a
killed guardian leaves, `sweep` removes at the next start.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

PREFIX = "ecluse-edit-"
LOCK = ".lock"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ended(BaseException):
    """A signal ended the work; carries its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def private_root() -> Path:
    """Memory before disk: the user's runtime folder, /dev/shm, and at last the folder for temporary files."""
    candidates = [os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm", tempfile.gettempdir()]
    return next(Path(path) for path in candidates if path and os.access(path, os.W_OK | os.X_OK))


def sweep(root: Path | None = None) -> int:
    """Removes what processes that were killed left behind; gives how many folders."""
    removed = 0
    for folder in (root or private_root()).glob(f"{PREFIX}{os.getuid()}-*"):
        with suppress(OSError), open(folder / LOCK, "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


@contextmanager
def private_file(name: str, text: str, root: Path | None = None) -> Iterator[Path]:
    """A file that only this user can read, with `text`; gone afterwards whatever happens. Ended on a signal."""
    folder = (root or private_root()) / f"{PREFIX}{os.getuid()}-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    try:
        with open(folder / LOCK, "w") as lock, _guarded(folder), _signals():
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = folder / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as stream:
                stream.write(text.encode("utf-8", "surrogateescape"))
            yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """A process of its own that removes the folder when this one is gone, however it went."""
    reading, writing = os.pipe()
    guardian = os.fork()
    if guardian == 0:
        _guard(folder, reading, writing)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(guardian, 0)


def _guard(folder: Path, reading: int, writing: int) -> None:
    """Never returns."""
    try:
        os.setsid()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.close(writing)
        os.read(reading, 1)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


@contextmanager
def _signals() -> Iterator[None]:
    def end(number: int, _frame: FrameType | None) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
