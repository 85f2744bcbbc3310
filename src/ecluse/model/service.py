"""What a service.yaml says, complete and checked: the part of a release that plans are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecluse.model.names import ServiceName
from ecluse.model.secret import Encrypted

type_names = (
    "string", "integer", "number", "boolean", "url", "email", "duration", "size", "choice", "list", "json",
)  # fmt: skip
ValueType = Literal[
    "string", "integer", "number", "boolean", "url", "email", "duration", "size", "choice", "list", "json"
]
FileFormat = Literal["env", "json", "yaml", "properties", "ini", "xml"]
Scalar = str | int | float | bool | None
Plain = Scalar | Encrypted | list["Plain"] | dict[str, "Plain"]
"""What a file says; a value of an encrypted file among it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How a replica shows that it started well: an HTTP path, a command, or its open port. Seconds."""

    path: str | None = None
    command: tuple[str, ...] = ()
    interval: float = 0.5
    timeout: float = 2.0
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """A public name: `host` alone is put before the environment's domain; one with a dot stands as it is."""

    host: str

    def address(self, domain: str) -> str:
        return self.host if "." in self.host else f"{self.host}.{domain}"


@dataclass(frozen=True, slots=True)
class Introduction:
    """How the replicas of a new release come into traffic.

    steps: the shares of the traffic (0 to 1) that they get first, each for `observe` seconds. judge: whether a rise
    of errors or of the time to answer, against the replicas that they replace, brings these back.
    """

    steps: tuple[float, ...] = ()
    observe: float = 30.0
    judge: bool = True


@dataclass(frozen=True, slots=True)
class Websockets:
    """What happens to websockets that are open when their replica leaves.

    grace: for how many seconds they go on once the program was told to end.
    """

    grace: float = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """One long-running command, each replica in its own container.

    cpu is in thousandths of a core, memory in bytes, drain and stop_grace in seconds.
    """

    name: str
    command: tuple[str, ...] = ()
    port: int | None = None
    probe: Probe = field(default_factory=Probe)
    cpu: int | None = None
    memory: int | None = None
    expose: Exposure | None = None
    replicas: int = 1
    drain: float = 10.0
    stop_grace: float = 20.0
    rollout: Introduction = field(default_factory=Introduction)
    websockets: Websockets = field(default_factory=Websockets)


@dataclass(frozen=True, slots=True)
class Task:
    """A command that runs once around a deployment, or when asked."""

    name: str
    command: tuple[str, ...]
    when: Literal["before", "after", "manual"] = "manual"
    reversible: bool = True
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Cron:
    """A command that runs on a schedule (five fields, crontab(5)) in `timezone` (IANA name).

    overlap: what happens at a time at which the run before it has not ended.
    missed: whether one run makes up for times at which no runner was at work.
    """

    name: str
    schedule: str
    command: tuple[str, ...]
    timezone: str = "UTC"
    enabled: bool = True
    reason: str | None = None
    timeout: float = 3600.0
    overlap: Literal["skip", "queue"] = "skip"
    missed: Literal["skip", "once"] = "once"


@dataclass(frozen=True, slots=True)
class ContractKey:
    """One configuration key that the service declares."""

    name: str
    type: ValueType = "string"
    default: Plain = None
    secret: bool = False
    required: bool = False
    required_when: str | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    description: str | None = None
    deprecated: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file in the container that a Jinja2 template makes; `template` is relative to service.yaml."""

    path: str
    template: str
    mode: int = 0o440
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file that holds every key of the contract in one format. `section`: the one of an INI file."""

    path: str
    format: FileFormat
    mode: int = 0o440
    owner: str | None = None
    section: str = "settings"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the keys reach the program: variables, files, or both."""

    env: bool = True
    files: tuple[SettingsFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageTests:
    """What must succeed in the image of stage `target` before a release exists."""

    target: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """How the image is built; paths are relative to the folder of service.yaml."""

    dockerfile: str = "Dockerfile"
    context: str = "."
    target: str | None = None
    tests: ImageTests | None = None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service as its service.yaml describes it, before any environment has spoken."""

    name: ServiceName
    image: ImageBuild
    processes: Mapping[str, Process]
    tasks: Mapping[str, Task]
    crons: Mapping[str, Cron]
    uses: tuple[str, ...]
    external: tuple[str, ...]
    config: Mapping[str, ContractKey]
    deliver: Delivery
    files: tuple[TemplateFile, ...]

    @property
    def front(self) -> Process | None:
        """The process behind the service's own name: `web`, or the only one that has a port."""
        ported = [process for process in self.processes.values() if process.port]
        named = [process for process in ported if process.name == "web"]
        return named[0] if named else ported[0] if len(ported) == 1 else None
