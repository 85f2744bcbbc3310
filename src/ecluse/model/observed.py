"""What really runs in an environment, as an engine saw it at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecluse.model.names import ServiceName
from ecluse.model.product import Tls

ReplicaState = Literal["starting", "ready", "draining", "exited", "restarting", "unhealthy"]


@dataclass(frozen=True, slots=True)
class Replica:
    """One container of a process.

    id: the engine's own identifier. box: the digest of what is inside. memory in bytes, None if unknown.
    """

    id: str
    name: str
    service: ServiceName
    process: str
    box: str
    version: str
    image_id: str
    state: ReplicaState
    address: str | None = None
    started: datetime | None = None
    restarts: int = 0
    exit_code: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class BackingState:
    """A backing service that runs (or ran): `spec` is the digest of what it was made from."""

    id: str
    name: str
    kind: str
    version: str
    spec: str
    state: Literal["starting", "ready", "exited"]
    accounts: tuple[str, ...] = ()
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """An environment at one moment. `exists` is False where nothing of it is there.

    hosts: public host name → service. addresses: where the fronts answer (`http://…`), by host.
    volumes: names of the volumes that hold its data. tls: how the gateway answers over HTTPS, None when it was
    never told. certificate: until when the one that it shows is valid; certificate_problem: why an ACME server gave no
    newer one. outdated: which proxies (gateway, edge) run another image than they would be made from now. lost: which
    must be made again, since their files, or they themselves, are gone.
    """

    exists: bool
    replicas: tuple[Replica, ...] = ()
    backing: tuple[BackingState, ...] = ()
    hosts: Mapping[str, str] | None = None
    urls: Mapping[str, str] | None = None
    volumes: tuple[str, ...] = ()
    gateway: str | None = None
    tls: Tls | None = None
    certificate: datetime | None = None
    certificate_problem: str | None = None
    outdated: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def of(self, service: ServiceName, process: str | None = None) -> tuple[Replica, ...]:
        return tuple(
            replica
            for replica in self.replicas
            if replica.service == service and process in (None, replica.process)
        )
