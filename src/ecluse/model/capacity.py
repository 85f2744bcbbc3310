"""What an engine has, and what its containers may take: for the question whether a plan fits."""

from __future__ import annotations

from dataclasses import dataclass


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
    """A machine: memory and disk in bytes, cpu in thousandths of a core. addresses: free ones in the network of
    an environment. disk_free is None where it cannot be seen from here."""

    memory: int
    cpu: int
    disk_free: int | None
    addresses: int
    holdings: tuple[Holding, ...] = ()
    engine: str = ""
    """What the engine calls itself, the same for as long as it lives."""
