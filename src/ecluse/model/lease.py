"""Who may write what becomes of deployments: one runner at a time, known by its token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LEASE = timedelta(seconds=15)
"""A lease without a heartbeat for so long is anybody's."""
HEARTBEAT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Holder:
    """A runner. machine: the boot of the machine it is on: there, the file lock tells whether it lives."""

    machine: str
    pid: int
    version: str

    def __str__(self) -> str:
        return f"process {self.pid}, version {self.version}"


@dataclass(frozen=True, slots=True)
class Lease:
    """token: grows with every holder. What was written with an older one is refused."""

    token: int
    holder: Holder
    beat_at: datetime


def is_free(lease: Lease | None, taker: Holder, now: datetime) -> bool:
    """May `taker`, who has the file lock of its machine, take the lease? Pure.

    A holder of the same boot is dead, or it would have the lock. A beat in the future is of a clock that was wrong.
    """
    return lease is None or lease.holder.machine == taker.machine or abs(now - lease.beat_at) > LEASE
