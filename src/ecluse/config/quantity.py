"""Quantities as people write them → numbers: cores, bytes, seconds. A ValueError says what it must be."""

from __future__ import annotations

import re
from fractions import Fraction

_CPU = re.compile(r"(\d{1,9})m|(\d{1,6}(?:\.\d{1,9})?)")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)")
_SHARE = re.compile(r"(\d{1,2})%")
_DURATION = re.compile(
    r"(?=.)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?"
)
_DURATION_UNITS = (Fraction(86400), Fraction(3600), Fraction(60), Fraction(1), Fraction(1, 1000))
_SIZE_UNITS = {prefix + "i": 1024**power for power, prefix in enumerate("KMGTP", 1)} | {
    prefix: 1000**power for power, prefix in enumerate("kMGTP", 1)
}
LONGEST_DURATION = 366 * 86400


def parse_cpu(value: object) -> int:
    """Thousandths of a core: `100m`, `0.5`, `2`."""
    found = _CPU.fullmatch(_written(value))
    millis = Fraction(found[1] or 1000 * Fraction(found[2])) if found else Fraction(0)
    if not 0 < millis <= 1024 * 1000 or millis.denominator != 1:
        raise ValueError("must be a number of cores like 100m, 0.5 or 2")
    return int(millis)


def parse_size(value: object) -> int:
    """Bytes: `128Mi`, `1Gi` (powers of 1024), `500M` (powers of 1000)."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(Fraction(found[1]) * _SIZE_UNITS[found[2]]) if found else 0
    if not 0 < size < 2**63:
        raise ValueError("must be a size like 128Mi, 1Gi or 500M")
    return size


def parse_duration(value: object) -> float:
    """Seconds: `500ms`, `30s`, `5m`, `1h30m`."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("must be a duration like 30s, 5m or 1h30m")
    seconds = sum(
        Fraction(text) * unit for text, unit in zip(found.groups(), _DURATION_UNITS, strict=True) if text
    )
    if seconds > LONGEST_DURATION:
        raise ValueError("must be a duration of at most 366d")
    return float(seconds)


def parse_share(value: object) -> float:
    """A part of the whole, between 0 and 1: `10%`."""
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if not found or not 1 <= int(found[1]) <= 99:
        raise ValueError("must be a share from 1% to 99%")
    return int(found[1]) / 100


def _written(value: object) -> str:
    return "" if isinstance(value, bool) else str(value)
