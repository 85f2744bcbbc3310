"""The time of this machine, and how the record writes it: seconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def moment(seconds: float) -> datetime:
    """What was written as seconds."""
    return datetime.fromtimestamp(seconds, UTC)
