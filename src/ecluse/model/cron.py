"""What is known of a cron beside its definition: how far its schedule was looked at, and what did not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecluse.model.deployment import DeploymentState
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.service import Cron

OmissionKind = Literal["skipped", "missed"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Until when the schedule of one cron was looked at.

    rule: its schedule and zone at that time. Under another rule the cron is a new one, and nobody looks back.
    """

    environment: EnvironmentName
    service: ServiceName
    cron: str
    rule: str
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Omission:
    """A time at which a cron should have run and did not: `skipped` by its own rule, or `missed`.

    due: that time; with `since`, the last of several that began then. at: when it was noticed.
    """

    environment: EnvironmentName
    service: ServiceName
    cron: str
    kind: OmissionKind
    due: datetime
    at: datetime
    why: str
    since: datetime | None = None

    @property
    def command(self) -> str:
        return f"{self.service}/{self.cron}"


@dataclass(frozen=True, slots=True)
class CronRun:
    """One run of a cron, as the record keeps it. note: for instance what it makes up for."""

    deployment: int
    state: DeploymentState
    requested_by: str
    requested_at: datetime
    seconds: float | None
    note: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class CronStatus:
    """One cron of an environment. runs, omissions: the last ones, newest first."""

    environment: EnvironmentName
    service: ServiceName
    cron: Cron
    next: datetime | None
    runs: tuple[CronRun, ...]
    omissions: tuple[Omission, ...]

    @property
    def command(self) -> str:
        return f"{self.service}/{self.cron.name}"
