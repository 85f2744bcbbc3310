"""Asks git which commit a service's folder is at. Reads only."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ecluse.errors import EcluseError, EngineError

TIMEOUT_SECONDS = 30.0


def read_commit(folder: Path, paths: Sequence[str] = (".",)) -> tuple[str | None, bool]:
    """The last commit that touched `paths` (relative to `folder`; short), and whether they differ from it.

    (None, False) outside git; a folder that was never committed is (None, True).
    """
    if _git(folder, "rev-parse", "--is-inside-work-tree") is None:
        return None, False
    commit = _git(folder, "log", "-1", "--format=%h", "--abbrev=7", "--", *paths)
    changes = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", *paths)
    return commit or None, bool(changes) or not commit


def _git(folder: Path, *arguments: str) -> str | None:
    argv = ["git", "-C", str(folder), "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"git did not answer within {TIMEOUT_SECONDS:g} s in {folder}") from error
    if "dubious ownership" in done.stderr:
        raise EcluseError(
            f"git does not trust {folder}, which belongs to somebody else",
            hint=f"git config --global --add safe.directory {folder}",
        )
    return done.stdout.strip() if done.returncode == 0 else None
