"""A deployment as the record keeps it: who asked for what, what became of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ecluse.model.application import Application, BackingService
from ecluse.model.cause import Cause
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Circumstances, DeploymentKind, Intent

DeploymentState = Literal["queued", "running", "succeeded", "restored", "failed", "cancelled"]
ENDED: frozenset[DeploymentState] = frozenset({"succeeded", "restored", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """The durable execution of a plan. `number` counts within the product."""

    number: int
    environment: EnvironmentName
    kind: DeploymentKind
    state: DeploymentState
    requested_by: str
    requested_at: datetime
    intent: Intent
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def seconds(self) -> float | None:
        if not (self.started_at and self.ended_at):
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Pending:
    """An unfinished deployment, without its intent: cheap enough to ask for all the time.

    commands: `service/task` of every command that it runs. claims: what it needs for itself (model/plan.py).
    waits_for: the number of the one before it, where that is known.
    """

    number: int
    environment: EnvironmentName
    kind: DeploymentKind
    state: DeploymentState
    requested_by: str
    requested_at: datetime
    commands: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    waits_for: int | None = None


@dataclass(frozen=True, slots=True)
class KnownGood:
    """What an environment last ran well: per service, with the deployment that brought it."""

    applications: Mapping[ServiceName, Application]
    deployments: Mapping[ServiceName, int]
    backing: Mapping[str, BackingService]
    revision: str | None = None
    circumstances: Circumstances = field(default_factory=Circumstances)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One run of a release task: `key` names its content, so that it is run once per environment."""

    service: ServiceName
    task: str
    key: str
    deployment: int
    at: datetime
    reversible: bool
    succeeded: bool
