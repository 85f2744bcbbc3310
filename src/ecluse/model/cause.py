"""Why something failed: the first terminal cause, in plain words, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecluse.errors import EngineError

CauseKind = Literal[
    "image-missing", "exited", "out-of-memory", "wrong-port", "probe-refused", "probe-silent", "task-failed",
    "dependency-down", "configuration-unreadable", "no-space", "port-taken", "timeout", "cancelled", "engine",
    "errors-rose", "slower", "stale",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """One sentence for people, then what shows it.

    subject: `service/process`, `service/task` or a backing service. evidence: facts, one a line (exit code,
    probe answer, engine's message). logs: the last lines of the failed container, secrets masked.
    """

    kind: CauseKind
    subject: str
    sentence: str
    evidence: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    hint: str | None = None


class RolloutFailed(EngineError):
    """An engine gave up on a change; `cause` says why. What was running before still runs."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.sentence, hint=cause.hint)
        self.cause = cause
