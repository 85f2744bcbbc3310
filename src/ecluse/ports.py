"""The seams: what the parts of Écluse ask of each other. Protocols only; implementations meet in `wiring`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ecluse.model.application import Application, BackingService, Origin, Passwords, Target
from ecluse.model.backup import Backup, BackupId, Manifest, Part, Tried
from ecluse.model.capacity import Capacity
from ecluse.model.cause import Cause
from ecluse.model.cron import Mark, Omission
from ecluse.model.deployment import Deployment, DeploymentState, KnownGood, LedgerEntry, Pending
from ecluse.model.event import Event, LogLine, Recorded
from ecluse.model.lease import Holder, Lease
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Intent
from ecluse.model.quarantine import Quarantined
from ecluse.model.release import Release
from ecluse.model.secret import Sealed, Secret, Twin
from ecluse.model.workload import Run, Workload


class Clock(Protocol):
    """The time, always with a zone (UTC)."""

    def now(self) -> datetime: ...


class Vault(Protocol):
    """Turns secret texts into fingerprints and back. Nothing is written before `keep`."""

    def seal(self, text: str) -> Sealed:
        """The fingerprint of `text`, remembered in memory."""

    def reveal(self, sealed: Sealed) -> str:
        """The text behind a fingerprint; SecretUnavailable when this vault never saw it."""

    def recall(self, mark: str) -> Sealed | None:
        """The secret that an encrypted value came to when somebody could read it; None when nobody did."""

    def remember(self, mark: str, sealed: Sealed) -> None:
        """Notes what an encrypted value comes to, so that who cannot read it knows it again."""

    def texts(self) -> Iterator[str]:
        """Every text that was ever kept: for masks."""

    def derive(self, purpose: str) -> str:
        """A generated credential, the same for the same purpose in the same state: letters and digits."""

    @property
    def key(self) -> bytes:
        """What all fingerprints and credentials follow from; for a copy that only root can read."""

    def keep(self) -> None:
        """Makes what was sealed durable."""


class SecretSource(Protocol):
    """Gives the secrets that people provide, from outside the product's plain files."""

    def lookup(
        self, environment: EnvironmentName, service: ServiceName, key: str
    ) -> tuple[Secret | Sealed, Origin] | None:
        """The value and where it is from, or None. A Sealed is one that is known and cannot be read here."""


class SecretLayers(Protocol):
    """The encrypted twins of layer files, by the path of the plain layer, relative to the product."""

    def require(self, layers: Collection[str]) -> None:
        """Refused when one of these could not be encrypted: there is nobody to encrypt it for."""

    def known(self, layer: str) -> Mapping[str, Secret] | None:
        """What a twin gives under `app:`; empty without a twin, None when it cannot be read here."""

    def names(self, layer: str) -> Collection[str]:
        """The keys that a twin gives: names are not encrypted."""

    def give(self, layer: str, values: Mapping[str, Secret]) -> None:
        """Adds or replaces keys under `app:` of a twin; makes the twin where there is none."""


class SecretFiles(Protocol):
    """Reads the encrypted files of a product."""

    def read(self, file: str, text: str) -> Twin:
        """What a file holds, read as far as an identity here opens it. Never raises: see its problems."""

    def rule(self, file: str) -> tuple[str, ...] | None:
        """Who should be able to read a file of that name; None where no rule speaks of it."""


class Releases(Protocol):
    """What can be deployed, newest first."""

    def list(self, service: ServiceName | None = None) -> Sequence[Release]: ...

    def of_image(self, service: ServiceName, image_id: str) -> Release | None:
        """The release of a service that an image is, also one that lost its name; None when it is none."""


class Draft(Protocol):
    """A backup that is being written. It is not there before `keep`."""

    def write(self, database: str, data: bytes) -> None:
        """Adds to the part of a database."""

    def parts(self) -> tuple[Part, ...]:
        """What was written so far."""

    def keep(self, manifest: Manifest) -> None:
        """Makes it durable, whole."""

    def discard(self) -> None:
        """Leaves nothing of it."""


class Copy(Protocol):
    """A backup that is being read."""

    @property
    def manifest(self) -> Manifest: ...

    def verify(self) -> None:
        """Refused when a part is not what its checksum says."""

    def read(self, database: str) -> Iterator[bytes]: ...


class Backups(Protocol):
    """The backups of a product."""

    def list(self, environment: EnvironmentName, name: str | None = None) -> Sequence[Backup]:
        """Those that are whole, newest first."""

    def find(self, backup: BackupId) -> Backup | None: ...

    def draft(self, backup: BackupId) -> Draft:
        """Begins one; what an earlier attempt left of it is gone."""

    def copy(self, backup: BackupId) -> Copy:
        """NotFound when there is none."""

    def note_trial(self, backup: BackupId, tried: Tried) -> None:
        """Records how a restore test ended."""

    def remove(self, backup: BackupId) -> None: ...


class Engine(Protocol):
    """What runs containers at a place. Acting methods converge: they observe, then do what is missing,
    so that any of them may run twice. They yield events, and end by returning or by a RolloutFailed."""

    async def observe(self, target: Target) -> Observed:
        """What really runs in the environment. Writes nothing."""

    async def capacity(self, target: Target) -> Capacity:
        """What the engine has for this environment, and what its containers may take already."""

    def prepare(self, target: Target, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        """Makes the environment ready to receive exactly these: networks, gateway, names, public hosts, and who may
        reach whom. What runs keeps what it may reach."""

    async def variables(self, target: Target, service: ServiceName) -> Mapping[str, str]:
        """What the newest replica of a service was given as variables, secrets in clear: to take it over, and never to
        be shown. Empty where nothing of it runs."""

    async def file(self, target: Target, service: ServiceName, path: str) -> bytes | None:
        """A file inside of the newest replica of a service, secrets in clear: to take it over, and never to be shown.
        None where there is none."""

    async def resembles(self, target: Target, workload: Workload) -> bool:
        """Do exactly the replicas of a workload run, but for the marks of the boxes? Those follow from fingerprints,
        and so from a key. Compares what is inside, secrets too."""

    async def passwords(self, target: Target, backing: BackingService) -> Passwords:
        """What a backing service that runs can tell of its passwords: to take it over, and never to be shown."""

    async def keepsake(self, target: Target) -> bytes | None:
        """What this engine was given to keep with the environment, whatever happens to the state directory."""

    def renew(self, target: Target) -> AsyncIterator[Event]:
        """Renews the certificate of the environment when it expires soon; does nothing otherwise."""

    def recover(
        self, target: Target, applications: Mapping[ServiceName, Application]
    ) -> AsyncIterator[Event]:
        """Brings back what the engine does not bring back by itself after it, or its machine, was away: one step in the
        order of what uses what; what is left comes with the next call. Does nothing where all is well, and nothing to
        what somebody stopped."""

    def provide(self, target: Target, backing: BackingService) -> AsyncIterator[Event]:
        """Makes a backing service run, with a database and an account for each client service."""

    def rollout(self, target: Target, workload: Workload) -> AsyncIterator[Event]:
        """Makes exactly the replicas of `workload` run: new ones ready first, then traffic, then old ones out."""

    def run(self, target: Target, run: Run) -> AsyncIterator[Event]:
        """Runs one command in a container of its own to its end; its output comes as `output` events. What it leaves
        tells how it ended, and is there until `tidy`: one of the same key is not run twice."""

    async def tidy(self, target: Target, run: Run) -> None:
        """Removes what a run that has ended left. Until then, to run it again is to learn how it ended."""

    def confirm(
        self,
        target: Target,
        workloads: Sequence[Workload],
        backing: Sequence[BackingService],
        *,
        since: datetime,
    ) -> AsyncIterator[Event]:
        """Looks again at what was made since then: RolloutFailed unless every replica of these workloads and
        every one of these backing services is well. What has neither port nor probe must have run for a while."""

    def retire(
        self, target: Target, service: ServiceName, process: str | None = None
    ) -> AsyncIterator[Event]:
        """Takes a process (or the whole service) out of traffic, then stops and removes it."""

    def dump(self, target: Target, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        """Writes a consistent copy of the data of a backing service that runs, a part for each database."""

    def load(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        """Replaces the data by that of the copy. Databases that are not in it stay, and so do accounts."""

    def rehearse(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        """Loads a copy into a new backing service that reaches nobody, counts what is in it (`data` of the
        last event: tables or keys by database), and removes it."""

    def upgrade(
        self,
        target: Target,
        before: BackingService,
        after: BackingService,
        draft: Draft,
        keep: Callable[[], Copy],
    ) -> AsyncIterator[Event]:
        """Gives the data to another version, on a volume of its own. `draft` gets the data once nobody can write
        any more, and `keep` makes a copy of it. Until the new version is ready, `provide` with `before` brings the old
        one back on its untouched data. Two servers never open the same data."""

    def withdraw(self, target: Target, backing: str) -> AsyncIterator[Event]:
        """Stops and removes a backing service. Its volume stays."""

    def remove(self, target: Target, *, volumes: bool) -> AsyncIterator[Event]:
        """Removes everything of the environment; volumes only when asked."""

    def logs(
        self,
        target: Target,
        service: ServiceName,
        process: str | None,
        *,
        follow: bool,
        since: float | None,
        tail: int | None,
    ) -> AsyncIterator[LogLine]:
        """Log lines of every replica, in order of time; `since` in seconds before now."""

    async def execute(
        self, target: Target, service: ServiceName, process: str | None, command: Sequence[str], *, tty: bool
    ) -> int:
        """Runs a command inside a running replica, on this terminal; gives its exit code."""

    async def debug(
        self, target: Target, workload: Workload, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        """Runs a command of another image beside a running replica, in its network and with its
        configuration, on this terminal; gives its exit code and leaves nothing."""

    async def close(self) -> None: ...


class Journal(Protocol):
    """Durable steps: an action whose outcome was recorded is not done again after a crash."""

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        """The outcome of `act` (JSON text). Known already: given without acting. Unknown: act, record, give.
        A crash in between makes `act` run again: it observes before it acts."""


class Records(Protocol):
    """What a product remembers: deployments, their events, what is known good, the ledger of tasks.

    Every method is one transaction, and may be called from several processes at once. CutShort when the record cannot
    be used now, or when the lease under which it writes is lost.
    """

    def under(self, lease: Lease) -> Records:
        """The same, whose begin, replan, end, keep, append and enter write under a lease or not at all."""

    def stamp(self) -> int:
        """Another number when another process has written since. Cheap enough to ask for all the time."""

    def enqueue(self, intent: Intent, *, by: str) -> int:
        """Records a deployment to be done and gives its number."""

    def enqueue_alone(self, intent: Intent, *, by: str) -> int | None:
        """As `enqueue`, but None while an unfinished deployment of the environment runs one of its commands."""

    def deployment(self, number: int) -> Deployment:
        """NotFound when there is none of that number."""

    def deployments(
        self, environment: EnvironmentName | None = None, *, limit: int | None = None, runs: bool = True
    ) -> Sequence[Deployment]:
        """Newest first; without `runs`, none of the commands that ran on their own."""

    def runs(self, environment: EnvironmentName, command: str, *, limit: int) -> Sequence[Deployment]:
        """The times that `service/task` ran on its own, newest first."""

    def thin(self, keep: int) -> int:
        """Forgets commands that ran on their own and ended, but for the newest `keep` of each; gives how many."""

    def unfinished(self) -> Sequence[Pending]:
        """Queued and running ones, oldest first."""

    def begin(self, number: int) -> None:
        """Starts one that waits, with its event. Does nothing twice."""

    def replan(self, number: int, intent: Intent) -> None:
        """Another intent for a deployment that is about to act: the world is another one than when it was asked for."""

    def end(self, number: int, state: DeploymentState, cause: Cause | None = None) -> None:
        """Ends a deployment, with its event; with `succeeded`, what it brought becomes known good. Does nothing
        twice."""

    def keep(self, number: int, backing: BackingService) -> None:
        """What a deployment made of a backing service and will not undo is known good from now on, with an event,
        whatever becomes of the deployment. Does nothing twice."""

    def request_cancel(self, number: int) -> None: ...

    def is_cancel_requested(self, number: int) -> bool: ...

    def append(self, number: int, event: Event) -> None:
        """Adds an event to a deployment, with the next number and the time."""

    def events(self, number: int, *, after: int = 0) -> Sequence[Recorded]: ...

    def known_good(self, environment: EnvironmentName, *, at: int | None = None) -> KnownGood:
        """What ran well, now or just after deployment `at`."""

    def environments(self) -> Sequence[EnvironmentName]:
        """Those in which something is known good."""

    def ledger(self, environment: EnvironmentName) -> Sequence[LedgerEntry]: ...

    def enter(self, environment: EnvironmentName, entry: LedgerEntry) -> None: ...

    def quarantine(self, environment: EnvironmentName, entry: Quarantined) -> None:
        """Keeps a release out of an environment; a second time changes nothing."""

    def quarantined(self, environment: EnvironmentName) -> Sequence[Quarantined]:
        """What is kept out, oldest first. What a deployment brings well is no longer."""

    def lift(self, environment: EnvironmentName, service: ServiceName) -> Sequence[Quarantined]:
        """Lets the releases of a service in again; gives those that were kept out."""


class Leases(Protocol):
    """Which runner may write what becomes of deployments."""

    def current(self) -> Lease | None: ...

    def take(self, holder: Holder) -> Lease:
        """For a runner that has the file lock of its machine: with a new token, from a holder that is dead. Busy when
        one of another machine lives."""

    def beat(self, lease: Lease) -> None:
        """A sign of life; CutShort when the lease is another's now."""


class Schedule(Protocol):
    """What the runner remembers of the schedule, so that downtime is noticed.

    Every method is one transaction, and may be called from several processes at once.
    """

    def under(self, lease: Lease) -> Schedule:
        """The same, that keeps under a lease or not at all."""

    def marks(self) -> Sequence[Mark]:
        """How far each cron of each environment was looked at."""

    def keep(
        self, marks: Sequence[Mark], omissions: Sequence[Omission] = (), starts: Sequence[Intent] = ()
    ) -> Sequence[int]:
        """Records one look: `marks` replace all that were there, `starts` are enqueued. Gives their numbers.
        All or nothing: a crash neither loses a run nor starts it twice."""

    def omissions(
        self, environment: EnvironmentName, *, command: str | None = None, limit: int
    ) -> Sequence[Omission]:
        """What did not run, newest first."""
