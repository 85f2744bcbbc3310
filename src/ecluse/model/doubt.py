"""What a guard wants to be told twice: a danger with a name, which `--yes` does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Guard = Literal[
    "removes-most",
    "empty-product",
    "other-folder",
    "other-engine",
    "older-release",
    "irreversible",
    "no-record",
]


@dataclass(frozen=True, slots=True)
class Doubt:
    """`guard` is what `--accept` names; `sentence` says what is strange, with its figures."""

    guard: Guard
    sentence: str
