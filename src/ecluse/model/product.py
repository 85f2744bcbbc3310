"""What ecluse.yaml says, complete and checked: services, environments, places, backing services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecluse.model.names import EnvironmentName, ProductName, ServiceName

EngineKind = Literal["docker", "kubernetes", "hosts", "external"]
BackingKind = Literal["mariadb", "postgresql", "redis", "s3"]
Egress = Literal["open", "declared"]
"""Whether services reach any address outside, or those that they declare."""
TlsMode = Literal["local", "files", "acme", "off"]
RestoreTests = Literal["each", "weekly", "never"]


@dataclass(frozen=True, slots=True)
class Place:
    """One engine target of an environment. `context` is a name that each machine maps to credentials."""

    name: str
    engine: EngineKind
    context: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class External:
    """A backing service that we do not run: its address, and the configuration key of its password."""

    host: str
    port: int
    user: str | None = None
    name: str | None = None
    password_key: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Which backups stay: the newest ones, and the newest of each of so many days, weeks and months."""

    last: int = 1
    daily: int = 7
    weekly: int = 4
    monthly: int = 6


@dataclass(frozen=True, slots=True)
class BackupRule:
    """When a backing service is backed up by itself, which backups stay, and which are tried out."""

    schedule: str
    timezone: str = "UTC"
    keep: Keep = field(default_factory=Keep)
    test: RestoreTests = "weekly"


@dataclass(frozen=True, slots=True)
class Backing:
    """A database, cache or store that services share; storage is in bytes."""

    name: str
    kind: BackingKind
    version: str | None = None
    storage: int | None = None
    image: str | None = None
    external: External | None = None
    node: str | None = None
    storage_class: str | None = None
    cpu: int | None = None
    memory: int | None = None
    backup: BackupRule | None = None


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """Where a service belongs and where its source is: a folder of the product, or a repository."""

    name: ServiceName
    domain: str | None = None
    repository: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """How the public hosts of an environment answer over HTTPS.

    certificate, key: paths on the engine's machine, with `files`. directory: where an ACME server (RFC 8555) is, with
    `acme`; email: whom it may write to; authority: a path to what its own certificate is verified by, None for the
    public ones. redirect: HTTP leads to HTTPS.
    hsts: for how many seconds browsers shall insist on HTTPS.
    """

    mode: TlsMode = "local"
    certificate: str | None = None
    key: str | None = None
    redirect: bool = False
    hsts: int | None = None
    directory: str | None = None
    email: str | None = None
    authority: str | None = None

    def address(self, host: str, *, http: int, https: int) -> str:
        """Where people find a host, by the ports of the edge; `https` is 0 where there is none."""
        if self.redirect and self.mode != "off" and https:
            return f"https://{host}" if https == 443 else f"https://{host}:{https}"
        return f"http://{host}" if http == 80 else f"http://{host}:{http}"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a set of releases runs together."""

    name: EnvironmentName
    domain: str
    places: Mapping[str, Place]
    default_place: str
    placement: Mapping[ServiceName, str]
    backing: Mapping[str, Backing]
    follows: tuple[EnvironmentName, ...] = ()
    protected: bool = False
    registry: str | None = None
    tls: Tls = field(default_factory=Tls)
    egress: Egress = "open"
    reasons: Mapping[str, str] = field(default_factory=dict)

    def place_of(self, service: ServiceName) -> Place:
        return self.places[self.placement.get(service, self.default_place)]


@dataclass(frozen=True, slots=True)
class Product:
    """Everything that is delivered together.

    holders: people who may hold keys of several environments, with their age recipients.
    """

    name: ProductName
    services: Mapping[ServiceName, ServiceEntry]
    environments: Mapping[EnvironmentName, Environment]
    registry: str | None = None
    holders: Mapping[str, str] = field(default_factory=dict)

    @property
    def password_keys(self) -> frozenset[str]:
        """The configuration keys that hold the passwords of backing services of somebody else."""
        backing = [one for place in self.environments.values() for one in place.backing.values()]
        return frozenset(
            one.external.password_key for one in backing if one.external and one.external.password_key
        )
