"""Releases that failed in an environment, and may not come back there before somebody says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecluse.model.names import ServiceName


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One release in one environment, known by its content. reason: the sentence of the cause."""

    service: ServiceName
    content: str
    version: str
    reason: str
    deployment: int
    at: datetime
