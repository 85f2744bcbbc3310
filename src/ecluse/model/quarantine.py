"""Releases that failed in an environment, and may not come back there before somebody says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecluse.model.application import ReleaseId
from ecluse.model.names import ServiceName


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One release in one environment, known by the content of its image and its form (model/application.py; empty in
    entries of earlier versions: any form). reason: the sentence of the cause.

    configuration: a digest of what the environment gave it, where that was new as well and may be at fault: the release
    is held back with that configuration only. Empty: with any.
    """

    service: ServiceName
    content: str
    version: str
    reason: str
    deployment: int
    at: datetime
    form: str = ""
    configuration: str = ""

    def is_of(self, release: ReleaseId) -> bool:
        return self.content == release.content and self.form in ("", release.form)
