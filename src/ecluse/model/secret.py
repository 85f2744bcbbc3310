"""Secrets: a value that hides itself, and the sealed form in which it may be stored and shown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.errors import Problem

_UNREADABLE = "unreadable:"
_STAND_IN = re.compile(r"ecluse-unreadable-[0-9a-f]{32}-")


@dataclass(frozen=True, slots=True)
class Sealed:
    """Stands for a secret text that the vault holds: a keyed fingerprint, safe to store, compare and show.

    Two equal texts have equal fingerprints within one state, and unrelated ones in another.
    """

    fingerprint: str

    def __str__(self) -> str:
        if self.is_unreadable:
            return "(secret that cannot be read here)"
        return f"(secret {self.fingerprint[:8]})"

    @classmethod
    def unreadable(cls, mark: str) -> Sealed:
        """Stands for a secret that nobody here can read. It can be compared, and never revealed."""
        return cls(_UNREADABLE + hashlib.sha256(mark.encode()).hexdigest()[:32])

    @property
    def is_unreadable(self) -> bool:
        return self.fingerprint.startswith(_UNREADABLE)

    @property
    def stand_in(self) -> str:
        """What takes the place of an unreadable text inside of a longer one."""
        return f"ecluse-unreadable-{self.fingerprint.removeprefix(_UNREADABLE)}-"


Text = str | Sealed
"""What a container receives: a plain text, or one that only the vault can tell."""


class Secret:
    """A secret text in memory. It never prints itself; `reveal` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A value of an encrypted file, at `path` (dotted) of `file`.

    mark: a digest of file, path and ciphertext, by which a vault knows it again. secret: its text, None for
    who cannot read it. recipients: who can.
    """

    file: str
    path: str
    mark: str
    secret: Secret | None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Twin:
    """An encrypted file beside a plain one: `values` by path. is_open: an identity here opens it."""

    file: str
    values: Mapping[tuple[str | int, ...], Encrypted]
    recipients: tuple[str, ...]
    is_open: bool
    problems: tuple[Problem, ...] = ()


def holds_stand_in(data: object) -> bool:
    """Whether an unreadable secret is somewhere inside."""
    if isinstance(data, str):
        return _STAND_IN.search(data) is not None
    if isinstance(data, list):
        return any(map(holds_stand_in, data))
    return isinstance(data, dict) and any(map(holds_stand_in, data.values()))


def show(text: Text | None) -> str:
    """How a text appears in plans: a secret only as such."""
    return "(none)" if text is None else str(text) if isinstance(text, Sealed) else text
