"""What a deployment would do: a sealed list of changes, each with its reasons. Holds no secret value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from ecluse.model.application import Application, BackingService, Target
from ecluse.model.names import ServiceName
from ecluse.model.secret import Text

Action = Literal[
    "provide", "create", "replace", "scale", "run", "schedule", "secure", "remove", "withdraw", "erase",
    "dump", "load", "rehearse", "prune", "upgrade", "rotate", "revoke",
]  # fmt: skip
COPYING: frozenset[Action] = frozenset({"dump", "load", "rehearse", "prune", "upgrade"})
DeploymentKind = Literal[
    "deploy", "promote", "rollback", "down", "run", "backup", "restore", "restore-test", "adopt", "rotate"
]
ALONE: frozenset[DeploymentKind] = frozenset({"run", "backup", "restore-test"})
"""Those that may go on beside others in their environment."""
WHOLE: frozenset[DeploymentKind] = frozenset({"down", "restore"})
"""Those that need their environment for themselves."""
SHARED: frozenset[Action] = frozenset({"provide", "withdraw", "secure", "upgrade", "rotate", "revoke"})
"""Changes of what several services stand on."""
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: `image`, `config KEY`, `file PATH`, `replicas`, `memory`…

    origin: where the new value comes from (file, line and layer), or None.
    """

    what: str
    before: Text | None
    after: Text | None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan.

    subject: `service/process`, `service/task`, `service/cron` or a backing service; unique with `action`.
    expects: engine identifiers of what is there now; when they are gone, the change is stale.
    key: for `run`, what the ledger knows the run by; for copies of data, which backup (`environment/name/time`;
    empty: that of the deployment); for `revoke`, the commands that hold the password: `service/task`, with spaces
    between.
    """

    action: Action
    subject: str
    service: ServiceName | None = None
    part: str = ""
    differences: tuple[Difference, ...] = ()
    expects: tuple[str, ...] = ()
    key: str = ""
    note: str | None = None

    @property
    def id(self) -> str:
        return f"{self.action} {self.subject}"


@dataclass(frozen=True, slots=True)
class Step:
    """How one service moves: from which version to which."""

    service: ServiceName
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one deployment, in the order in which they are made."""

    environment: str
    kind: DeploymentKind
    revision: str
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    running: int = 0
    """How many processes run now, for the guard against removing more than half of them."""
    notes: tuple[str, ...] = ()
    """What a reader should know, and need not fear."""
    dirty: bool = False
    """The configuration had uncommitted changes."""

    @property
    def is_empty(self) -> bool:
        """Nothing to do, not even to record that another release of equal content runs."""
        return not self.changes and all(step.before == step.after for step in self.steps)

    @property
    def services(self) -> tuple[ServiceName, ...]:
        return tuple(step.service for step in self.steps)

    @property
    def commands(self) -> tuple[str, ...]:
        """What must not go on twice at once: `service/task` of every command that is run, `backup/NAME` of every
        backing service that is copied or brought back."""
        tasks = [change.subject for change in self.changes if change.action == "run"]
        copied = [f"backup/{change.part}" for change in self.changes if change.action in COPYING]
        # what would run on with a password that is about to go
        held = [name for change in self.changes if change.action == "revoke" for name in change.key.split()]
        return tuple(dict.fromkeys([*tasks, *copied, *held]))

    @property
    def claims(self) -> tuple[str, ...]:
        """What nobody else may change meanwhile: `*` for the whole environment, or services, the backing services
        that are changed, and how the gateway answers."""
        if self.kind in ALONE:
            return ()
        if self.kind in WHOLE:
            return (EVERYTHING,)
        shared = [change.subject for change in self.changes if change.action in SHARED]
        return tuple(dict.fromkeys([*(f"service/{name}" for name in self.services), *shared]))

    @property
    def digest(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """From where an environment was deployed, and on what: empty where it is not known.

    repository: the first commit of the product's history, and the folder within it. folder: its absolute path.
    engine: what the engine calls itself.
    """

    repository: str = ""
    folder: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What the runner needs to execute a plan and to undo it, without the product's files.

    applications: what each service of the plan should be. previous: what it was, for those that ran before.
    others: the services of the environment that the plan leaves alone. backing: what stands behind them.
    volumes: with `down`, remove the data too. rolled_to: with `rollback`, the deployment gone back to.
    is_reviewed: a saved plan, which is not planned again when it has waited: it still holds, or is not applied.
    """

    target: Target
    plan: Plan
    applications: Mapping[ServiceName, Application]
    previous: Mapping[ServiceName, Application]
    others: Mapping[ServiceName, Application] = field(default_factory=dict)
    backing: Mapping[str, BackingService] = field(default_factory=dict)
    previous_backing: Mapping[str, BackingService] = field(default_factory=dict)
    volumes: bool = False
    rolled_to: int | None = None
    note: str | None = None
    circumstances: Circumstances = field(default_factory=Circumstances)
    is_reviewed: bool = False
