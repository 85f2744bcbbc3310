"""Where the product's files come from: the folder, or a commit. Gives names and bytes; knows no format."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecluse.config.document import MAX_CHARACTERS
from ecluse.config.git import Entry, Git

_CONFIG_DEPTH = 6


class Unreadable(Exception):
    """A file that is there and gives no text; says why, in which line when there is one, and what to do."""

    def __init__(self, reason: str, *, line: int = 0, hint: str | None = None) -> None:
        super().__init__(reason)
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Tree:
    """Files of the working tree. `instead`: what files would say that are about to be written."""

    root: Path
    instead: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._found(), *self.instead])

    def _found(self) -> Iterator[str]:
        yield from self._under("services", depth=1, only="service.yaml")
        yield from self._under("config", depth=_CONFIG_DEPTH)
        yield from self._under("environments", depth=0)

    def _under(self, folder: str, *, depth: int, only: str | None = None) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if depth and not entry.name.startswith(".") and _is_folder(entry):
                yield from self._under(path, depth=depth - 1, only=only)
            elif only is None or entry.name == only:
                yield path

    def read(self, path: str) -> bytes | None:
        if path in self.instead:
            return self.instead[path].encode()
        full = self.root / path
        try:
            status = full.stat()
            if not full.resolve().is_relative_to(self.root.resolve()):
                raise Unreadable("is a link that leads out of the product")
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("is not a file")
            with full.open("rb") as stream:
                return stream.read(4 * MAX_CHARACTERS + 1)
        except (FileNotFoundError, NotADirectoryError):
            if full.is_symlink():
                raise Unreadable("is a link to nothing") from None
            return None
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Unreadable(f"cannot be read: {reason.lower()}") from error


@dataclass(frozen=True, slots=True)
class Committed:
    """Files of one commit, read in one go."""

    git: Git
    entries: Mapping[str, Entry]
    contents: Mapping[str, bytes]

    def names(self) -> Iterator[str]:
        return (path for path in sorted(self.entries) if _is_read_always(path))

    def read(self, path: str) -> bytes | None:
        entry = self.entries.get(path)
        if entry and entry.is_link:
            raise Unreadable("is a symbolic link, which cannot be followed at a revision")
        if entry is None or path in self.contents:
            return self.contents.get(path)
        return self.git.contents([entry.object])[0]


def committed(git: Git, commit: str) -> Committed:
    """The files of a commit; those that are always read come in one go."""
    entries = git.files(commit)
    wanted = [path for path in sorted(entries) if _is_read_always(path) or path == "ecluse.yaml"]
    texts = git.contents([entries[path].object for path in wanted])
    return Committed(git, entries, dict(zip(wanted, texts, strict=True)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_read_always(path: str) -> bool:
    parts = path.split("/")
    is_service = parts[0] == "services" and len(parts) == 3 and parts[2] == "service.yaml"
    return is_service or parts[0] == "config" or (parts[0] == "environments" and len(parts) == 2)
