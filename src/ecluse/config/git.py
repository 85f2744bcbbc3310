"""Questions to git about one folder. Reads only; every call ends within a limit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from ecluse.errors import EcluseError, NotFound, TimedOut

LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit: its object, and whether it is a symbolic link."""

    object: str
    is_link: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """Who changed something, when (UTC) and why (the first line of the message)."""

    id: str
    author: str
    at: datetime
    subject: str

    @property
    def short(self) -> str:
        return self.id[:8]


@dataclass(frozen=True, slots=True)
class Git:
    """The git repository around `root`. Paths are relative to `root`."""

    root: Path

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        done = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", expect=(0, 1, 128))
        return done.strip() or None

    def commit(self, revision: str) -> str:
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if found := self._run(*arguments, expect=(0, 1, 128)).strip():
            return found
        raise NotFound(f"git knows no revision {revision!r}", hint="git log --oneline shows what there is")

    def files(self, commit: str) -> dict[str, Entry]:
        result = {}
        for line in self._run("ls-tree", "-r", "-z", commit).split("\0"):
            if line:
                facts, path = line.split("\t", 1)
                mode, _, name = facts.split(" ")
                result[path] = Entry(name, mode == "120000")
        return result

    def contents(self, objects: Sequence[str]) -> list[bytes]:
        """The content of each object, in order."""
        out = self._bytes("cat-file", "--batch", given="".join(f"{name}\n" for name in objects).encode())
        result, at = [], 0
        for _ in objects:
            end = out.index(b"\n", at)
            size = int(out[at:end].split(b" ")[2])
            result.append(out[end + 1 : end + 1 + size])
            at = end + size + 2
        return result

    def tracked(self) -> set[str]:
        return set(self._run("ls-files", "-z").split("\0"))

    def changed(self, folder: str = ".") -> set[str]:
        """Tracked files that differ from HEAD, removed ones included."""
        return set(
            self._run("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", folder).split(
                "\0"
            )
        ) - {""}

    def is_dirty(self, folder: str) -> bool:
        arguments = ("status", "--porcelain", "-z", "--untracked-files=normal", "--", folder)
        return bool(self._run(*arguments))

    def last_commit(self, folder: str) -> str | None:
        """The last commit that touched the folder, short."""
        return self._run("log", "-1", "--format=%h", "--", folder, expect=(0, 128)).strip() or None

    def between(self, before: str, after: str, folder: str, *, most: int) -> tuple[str, ...]:
        """`id subject` of the commits after `before` up to `after` that touched a folder, newest first; nothing
        where one of the two is not known here."""
        arguments = (
            "log",
            f"-{most}",
            "--format=%h %s",
            "--end-of-options",
            f"{before}..{after}",
            "--",
            folder,
        )
        return tuple(self._run(*arguments, expect=(0, 128)).splitlines())

    def origin(self) -> str:
        """What every clone of this folder has in common: the first commits of its history, and where the folder is
        in it. `?` for a shallow clone, which cannot tell; empty before the first commit."""
        if self._run("rev-parse", "--is-shallow-repository", expect=(0, 128)).strip() == "true":
            return "?"
        roots = sorted(self._run("rev-list", "--max-parents=0", "HEAD", expect=(0, 128)).split())
        prefix = self._run("rev-parse", "--show-prefix", expect=(0, 128)).strip()
        return f"{roots[0][:16]}:{prefix}" if roots else ""

    def line_commit(self, file: str, line: int, revision: str | None) -> str | None:
        """The commit that wrote a line, short; None when it is not committed."""
        at = [revision] if revision else []
        out = self._run("blame", "--porcelain", "-L", f"{line},{line}", *at, "--", file, expect=(0, 128))
        return None if not out or out.startswith("0" * 40) else out[:8]

    def line_author(self, file: str, line: int, revision: str | None) -> Commit | None:
        """As `line_commit`, with who and why."""
        at = [revision] if revision else []
        out = self._run("blame", "--porcelain", "-L", f"{line},{line}", *at, "--", file, expect=(0, 128))
        if not out or out.startswith("0" * 40):
            return None
        facts = dict(
            entry.partition(" ")[::2] for entry in out.splitlines()[1:] if not entry.startswith("\t")
        )
        when = datetime.fromtimestamp(int(facts["author-time"]), UTC)
        return Commit(out[:40], facts["author"], when, facts["summary"])

    def log(self, paths: Sequence[str]) -> list[Commit]:
        """The commits that touched any of `paths`, newest first; none before the first commit."""
        form = "%H%x1f%an%x1f%at%x1f%s%x1e"
        out = self._run("log", f"--format={form}", "--", *paths, expect=(0, 128))
        found = [entry.strip("\n").split("\x1f") for entry in out.split("\x1e") if entry.strip("\n")]
        return [Commit(name, who, datetime.fromtimestamp(int(at), UTC), why) for name, who, at, why in found]

    def _run(self, *arguments: str, expect: tuple[int, ...] = (0,)) -> str:
        return self._bytes(*arguments, expect=expect).decode(errors="surrogateescape")

    def _bytes(self, *arguments: str, given: bytes = b"", expect: tuple[int, ...] = (0,)) -> bytes:
        done = _git(self.root, *arguments, given=given)
        if done.returncode not in expect:
            reason = done.stderr.decode(errors="replace").strip()
            raise EcluseError(f"git {arguments[0]} failed in {self.root}: {reason}")
        return done.stdout if done.returncode == 0 else b""


def find_git(root: Path) -> Git | None:
    """The repository that `root` is in, or None: then nothing has a commit."""
    try:
        done = _git(root, "rev-parse", "--is-inside-work-tree")
    except FileNotFoundError:
        return None
    reason = done.stderr.decode(errors="replace").strip()
    if "dubious ownership" in reason:
        hint = f"git config --global --add safe.directory {root}"
        raise EcluseError(f"git does not trust the owner of {root}", hint=hint)
    return Git(root) if done.stdout.strip() == b"true" else None


def _git(root: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=LIMIT, env=_environment(), check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"git {arguments[0]} did not end within {LIMIT:g} s") from error


@lru_cache(maxsize=1)
def _environment() -> dict[str, str]:
    """Ours without what points git at another repository, for instance inside of a hook."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}
