"""What an environment looks like to somebody who asks: what runs, beside what is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecluse.model.backup import Protection
from ecluse.model.deployment import Pending
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.observed import BackingState, Replica


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: the release on record, its replicas, and where it answers.

    wanted: process → how many replicas should run.
    """

    service: ServiceName
    version: str | None
    commit: str | None
    deployment: int | None
    wanted: dict[str, int]
    replicas: tuple[Replica, ...]
    url: str | None
    external: tuple[str, ...] = ()
    """The addresses outside that it declares."""

    @property
    def is_healthy(self) -> bool:
        ready = [replica.process for replica in self.replicas if replica.state == "ready"]
        return all(ready.count(process) >= count for process, count in self.wanted.items())


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One environment. interrupted: unfinished deployments that no runner has in hand.

    certificate: until when the certificate of its public hosts is valid, None without HTTPS; certificate_problem: why
    there is no newer one. outdated: which proxies run another image than they would be made from now. lost: which
    must be made again.
    """

    environment: EnvironmentName
    exists: bool
    gateway: str | None
    services: tuple[ServiceStatus, ...]
    backing: tuple[BackingState, ...]
    pending: tuple[Pending, ...]
    interrupted: bool
    volumes: tuple[str, ...]
    certificate: datetime | None = None
    certificate_problem: str | None = None
    outdated: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    protection: tuple[Protection, ...] = ()
    """Of each backing service that has a backup, or should have."""
