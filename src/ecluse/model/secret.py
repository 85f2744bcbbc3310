"""Secrets: a value that hides itself, and the sealed form in which it may be stored and shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """Stands for a secret text that the vault holds: a keyed fingerprint, safe to store, compare and show.

    Two equal texts have equal fingerprints within one state, and unrelated ones in another.
    """

    fingerprint: str

    def __str__(self) -> str:
        return f"(secret {self.fingerprint[:8]})"


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


def show(text: Text | None) -> str:
    """How a text appears in plans: a secret only as such."""
    return "(none)" if text is None else str(text) if isinstance(text, Sealed) else text
