"""The resolved desired state: what one service is in one environment, complete, with no reference left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecluse.errors import Location
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.model.product import BackingKind, BackupRule, Egress, Tls
from ecluse.model.secret import Text
from ecluse.model.service import Cron, Process, Task

CONTRACT = "contract default"
SPECIFICATION = "service.yaml"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: its layer (`environment test`, `contract default`…), file and line."""

    layer: str
    location: Location

    @property
    def is_release(self) -> bool:
        """Whether the release itself says it, and not an environment."""
        return self.layer in (CONTRACT, SPECIFICATION)

    def __str__(self) -> str:
        return f"{self.location} ({self.layer})"


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A value that a more specific layer beat; `shown` is None for a secret."""

    origin: Origin
    shown: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration key, resolved and written out as a variable would be.

    beaten: the values that lost, most specific first. through: the references on the way, outermost first.
    """

    key: str
    text: Text
    origin: Origin
    beaten: tuple[Shadowed, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file that is put into the container before it starts."""

    path: str
    content: Text
    mode: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseId:
    """The part of a release that a running container must agree with.

    form: a digest of what its service.yaml says and of its templates, empty where it was recorded without.
    """

    service: ServiceName
    version: str
    image_id: str
    content: str
    commit: str | None = None
    dirty: bool = False
    form: str = ""

    def is_same(self, other: ReleaseId) -> bool:
        """Whether both hold the same image with the same service.yaml and templates, as far as it is on record."""
        is_form_known = bool(self.form and other.form)
        return self.content == other.content and (self.form == other.form or not is_form_known)


@dataclass(frozen=True, slots=True)
class Application:
    """One service in one environment. `processes`, `crons` have the environment's `run` values applied.

    uses: services that it may call, by name, with the port 80 of their internal address.
    backing: names of the backing services that it may reach. external: addresses outside that it needs; with `egress`
    declared, it reaches no others.
    origins: where values of `run` come from (`run.web.replicas` → origin), for the plan.
    """

    service: ServiceName
    domain: str | None
    place: str
    release: ReleaseId
    processes: Mapping[str, Process]
    tasks: Mapping[str, Task]
    crons: Mapping[str, Cron]
    settings: tuple[Setting, ...]
    env: bool
    files: tuple[File, ...]
    uses: tuple[ServiceName, ...]
    backing: tuple[str, ...]
    external: tuple[str, ...] = ()
    origins: Mapping[str, Origin] | None = None
    egress: Egress = "open"

    @property
    def front(self) -> Process | None:
        """The process behind the service's own name: `web`, or the only one that has a port."""
        ported = [process for process in self.processes.values() if process.port]
        named = [process for process in ported if process.name == "web"]
        return named[0] if named else ported[0] if len(ported) == 1 else None


@dataclass(frozen=True, slots=True)
class BackingService:
    """A backing service that runs in one environment, with one account and database per client service.

    storage, memory in bytes; cpu in thousandths of a core; accounts: service → sealed password.
    """

    name: str
    kind: BackingKind
    version: str
    image: str | None
    storage: int | None
    cpu: int | None
    memory: int | None
    root_password: Text
    accounts: Mapping[ServiceName, Text]
    backup: BackupRule | None = None
    turns: Mapping[ServiceName, int] = field(default_factory=dict)
    """Which password of a service it is: 1, where nothing is said, then one more at each rotation."""
    former: Mapping[ServiceName, Text] = field(default_factory=dict)
    """Passwords of the turn before that count too, while clients go from one to the other."""

    def turn(self, client: ServiceName) -> int:
        return self.turns.get(client, 1)


@dataclass(frozen=True, slots=True)
class Passwords:
    """What a backing service itself can tell in clear: its administrator's password, and those of clients."""

    root: str | None = field(default=None, repr=False)
    clients: Mapping[ServiceName, str] = field(default_factory=dict, repr=False)


def password_purpose(environment: EnvironmentName, backing: str, account: str, turn: int) -> str:
    """What a vault derives the password of an account from."""
    return f"{environment}/{backing}/{account}/{turn}"


def login_name(kind: BackingKind, client: str, turn: int) -> str:
    """Who a client says it is. PostgreSQL knows one password for a name: there two names take turns."""
    return f"{client}.b" if kind == "postgresql" and turn % 2 == 0 else client


@dataclass(frozen=True, slots=True)
class Target:
    """An environment as an engine needs to know it."""

    product: ProductName
    environment: EnvironmentName
    domain: str
    protected: bool = False
    tls: Tls = field(default_factory=Tls)

    @property
    def slug(self) -> str:
        return f"{self.product}-{self.environment}"


@dataclass(frozen=True, slots=True)
class Desired:
    """What an environment should be: its services and what stands behind them.

    revision: the commit of the configuration, or `tree:<hash>` for a working tree.
    """

    target: Target
    applications: Mapping[ServiceName, Application]
    backing: Mapping[str, BackingService]
    revision: str
    dirty: bool = False
