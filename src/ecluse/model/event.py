"""The one vocabulary for terminal, live page and audit record: what happened, to what, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

EventKind = Literal[
    "deployment.started", "deployment.succeeded", "deployment.restored", "deployment.failed",
    "deployment.cancelled",
    "change.started", "change.done", "change.failed", "change.skipped",
    "restore.started", "restore.done", "restore.failed",
    "replica.created", "replica.started", "replica.probing", "replica.ready", "replica.failed",
    "replica.draining", "replica.stopped",
    "gateway", "backing", "backing.kept", "output", "note",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. An engine fills in what it knows; the record adds number and time.

    subject: `service/process`, `service/task`, a backing service, or empty for the environment.
    data: figures and names for readers that are programs; never a secret.
    """

    kind: EventKind
    subject: str = ""
    message: str = ""
    replica: str | None = None
    data: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the record keeps it: numbered from 1 within its deployment."""

    deployment: int
    number: int
    at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a replica's output; `error` for standard error."""

    at: datetime
    replica: str
    text: str
    error: bool = False
