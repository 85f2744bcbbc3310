"""RFC 3339 as Go reads and writes it: the moment of the last change, and values that are times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)", re.ASCII)
_SHORT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)"
    r"|[ ]+(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?)?",
    re.ASCII,
)
"""What go-yaml takes for a timestamp when it is not quoted."""


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> str | None:
    """The canonical text of a moment; None when it is none."""
    found = _MOMENT.fullmatch(text)
    return _canonical(found.group(*range(1, 7)), found[7], found[8]) if found else None


def parse_seconds(text: str) -> str | None:
    """As `parse_moment`, without parts of a second."""
    found = _MOMENT.fullmatch(text)
    return _canonical(found.group(*range(1, 7)), None, found[8]) if found else None


def parse_timestamp(text: str) -> str | None:
    """The canonical text of what YAML takes for a timestamp; None for any other text."""
    found = _SHORT.fullmatch(text)
    if not found:
        return None
    day = found.group(1, 2, 3)
    if found[4] is not None:
        return _canonical((*day, *found.group(4, 5, 6)), found[7], found[8])
    if found[9] is not None:
        return _canonical((*day, *found.group(9, 10, 11)), found[12], "Z")
    return _canonical((*day, "0", "0", "0"), None, "Z")


def _canonical(parts: tuple[str | None, ...], fraction: str | None, zone: str) -> str | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    try:
        datetime(year or 4, month, day, hour, minute, second)
    except ValueError:
        return None
    hours, minutes = (int(zone[1:3]), int(zone[4:6])) if zone != "Z" else (0, 0)
    if hours > 24 or minutes > 60:
        return None
    digits = (fraction or "")[:9].rstrip("0")
    shown = zone if hours or minutes else "Z"
    head = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{head}.{digits}{shown}" if digits else f"{head}{shown}"
