"""The cause card: all that is known of a deployment that failed, in the order in which people ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecluse.model.cause import Cause
from ecluse.model.deployment import DeploymentState
from ecluse.model.names import ServiceName
from ecluse.model.plan import DeploymentKind, Difference


@dataclass(frozen=True, slots=True)
class Changed:
    """What the deployment wanted to change of one service, against what last ran well.

    good: the deployment that last brought it well, None when it never ran well here.
    commits: `id subject` of the commits in between, newest first, where git could tell.
    """

    service: ServiceName
    good: int | None
    version: tuple[str | None, str | None]
    commit: tuple[str | None, str | None]
    differences: tuple[Difference, ...]
    commits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """Why a deployment failed. changed: the service at fault first. done: what became of it, each a sentence.
    advice: what to try, each a sentence."""

    deployment: int
    environment: str
    kind: DeploymentKind
    state: DeploymentState
    requested_by: str
    requested_at: datetime
    cause: Cause
    changed: tuple[Changed, ...]
    done: tuple[str, ...]
    advice: tuple[str, ...]
