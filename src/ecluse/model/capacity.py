"""What an engine has, and what its containers may take: for the question whether a plan fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecluse.model.names import ServiceName


@dataclass(frozen=True, slots=True)
class Holding:
    """What one running container may take: memory in bytes, cpu in thousandths of a core; 0 for no limit.

    owner: the slug (`product-environment`) for what belongs to the environment that was asked about, else empty.
    subject: `service/process` for a replica, otherwise the container's name.
    """

    owner: str
    subject: str
    memory: int
    cpu: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """A machine: memory and disk in bytes, cpu in thousandths of a core. disk_free is None where it cannot be seen
    from here. addresses: how many the network of a service has; taken: those in use, by service; networks: how many
    more can be made."""

    memory: int
    cpu: int
    disk_free: int | None
    addresses: int
    taken: Mapping[ServiceName, int] = field(default_factory=dict)
    networks: int = 1000
    holdings: tuple[Holding, ...] = ()
    engine: str = ""
    """What the engine calls itself, the same for as long as it lives."""
