"""The errors that users see. Each says what happened and what to do; none carries a secret value.

EcluseError                    1  anything that we know of and that has no kind of its own
├── UsageError                 2  the command was called in a way that cannot be
├── ConfigInvalid              3  the product's files are wrong; carries every Problem
├── NotFound                   4  a name that does not exist; carries the nearest one
├── Refused                    5  a guard or a gate says no
├── Busy                       6  somebody else is at it
├── SecretUnavailable          7  a value that cannot be read here
├── BuildFailed                8  an image did not build, or its tests failed
├── EngineError                9  the engine is out of reach, or refuses
├── DeploymentFailed          10  it failed, and what was there runs again
│   └── NotRestored           11  it failed, and restoring failed too
├── Cancelled                 12  somebody asked to stop
├── TimedOut                  13  a wait ended; names the wait and its limit
└── CutShort                  14  the record cannot be used now, or is another runner's: no fault of what is in hand
    └── RecordDamaged         14  what is on disk is no record any more; a human has to act

The numbers are the exit codes of the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class EcluseError(Exception):
    """Base of every error that we raise on purpose: a message, and a hint that says what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(EcluseError):
    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file: path relative to the product, line counted from 1 (0: the whole file)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in the product's files, at `key` (a dotted path, may be empty)."""

    location: Location
    key: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.location}: {self.key}" if self.key else str(self.location)
        text = f"{where}: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class ConfigInvalid(EcluseError):
    """The product's files are wrong. Reports all problems at once, sorted by file and line."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems), key=_place))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _place(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.location.file, problem.location.line, problem.key, problem.message)


class NotFound(EcluseError):
    exit_code = 4


class Refused(EcluseError):
    exit_code = 5


class Busy(EcluseError):
    exit_code = 6


class SecretUnavailable(EcluseError):
    exit_code = 7


class BuildFailed(EcluseError):
    exit_code = 8


class EngineError(EcluseError):
    exit_code = 9


class DeploymentFailed(EcluseError):
    exit_code = 10


class NotRestored(DeploymentFailed):
    exit_code = 11


class Cancelled(EcluseError):
    exit_code = 12


class TimedOut(EcluseError):
    exit_code = 13


class CutShort(EcluseError):
    """Work stops here without an outcome: it is never a cause of failure, and goes on when it can be recorded."""

    exit_code = 14


class RecordDamaged(CutShort):
    pass


def nearest(name: str, known: Sequence[str] | Iterable[str]) -> str | None:
    """A hint that names the closest known spelling, or what there is when nothing is close."""
    candidates = sorted(known)
    close = get_close_matches(name, candidates, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(candidates[:12])}" if candidates else None
