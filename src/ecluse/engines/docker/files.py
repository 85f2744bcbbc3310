"""The engine's own files on this machine: private folders, whole writes, and the lock that guards allocations."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ecluse.errors import CutShort, EngineError

LOCK_SECONDS = 120.0
_POLL_SECONDS = 0.05
_HINT = "run as the user that owns the state directory, or set ECLUSE_STATE"


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it is missing."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"cannot make the folder {path}: {error.strerror}", hint=_HINT) from error
    return path


def write_whole(path: Path, text: str) -> None:
    """Writes a file of mode 0600 whole or not at all, and not when it says so already."""
    if read(path) == text:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text)
        draft.chmod(0o600)
        draft.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            # the record is on the same disk: neither could it say that this failed
            draft.unlink(missing_ok=True)
            raise CutShort(
                f"no room is left for {path}", hint="make room: what is in hand goes on then"
            ) from error
        raise EngineError(f"cannot write {path}: {error.strerror}", hint=_HINT) from error


def read(path: Path) -> str | None:
    """The text of a file, None when there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(f"cannot read {path}: {error.strerror}", hint=_HINT) from error


def remove_folder(path: Path) -> None:
    """With all that is in it, drafts of files that were cut short too."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(f"cannot remove the folder {path}: {error.strerror}", hint=_HINT) from error


@asynccontextmanager
async def lock(path: Path, *, what: str, seconds: float = LOCK_SECONDS) -> AsyncIterator[None]:
    """Holds a lock between processes (flock). It is gone with the process that held it."""
    private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineError(f"cannot open the lock {path}: {error.strerror}", hint=_HINT) from error
    try:
        await _acquire(descriptor, what, seconds)
        yield
    finally:
        os.close(descriptor)


async def _acquire(descriptor: int, what: str, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not _try(descriptor):
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise EngineError(
            f"another process has been {what} for {seconds:g} s", hint="try again later"
        ) from error


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
