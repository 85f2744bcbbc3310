"""Which backups may go. Pure: what there is and the rule come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ecluse.model.backup import Backup, BackupId
from ecluse.model.product import BackupRule

SAFETY_KEPT = timedelta(days=30)
"""How long a copy stays that was made of data that was about to be replaced."""
TESTED_EVERY = timedelta(days=6, hours=12)
"""A weekly test is due a little earlier than after seven days: backups do not begin on the second."""


def surplus(found: Sequence[Backup], rule: BackupRule, now: datetime) -> list[BackupId]:
    """What the rule does not keep, of one backing service, oldest first. found: newest first.

    Days, weeks and months are those of the rule's time zone that have a backup: a machine that was off for a week
    loses nothing. The newest one that passed a restore test always stays.
    """
    regular = [item for item in found if not item.manifest.safety]
    kept = set(_kept(regular, rule))
    gone = [item.id for item in regular if item.id not in kept]
    gone += [item.id for item in found if item.manifest.safety and now - item.manifest.begun > SAFETY_KEPT]
    return sorted(gone, key=lambda backup: backup.at)


def is_test_due(found: Sequence[Backup], rule: BackupRule, now: datetime) -> bool:
    """Whether the backup that is made next is to be tried: weekly means that none passed for a week."""
    if rule.test != "weekly":
        return rule.test == "each"
    passed = [item.tried.at for item in found if item.tried and item.tried.succeeded]
    return not passed or now - max(passed) > TESTED_EVERY


def _kept(regular: Sequence[Backup], rule: BackupRule) -> list[BackupId]:
    zone = ZoneInfo(rule.timezone)
    keep = rule.keep
    kept = [item.id for item in regular[: keep.last]]
    periods: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (keep.daily, lambda at: at.date()),
        (keep.weekly, lambda at: at.isocalendar()[:2]),
        (keep.monthly, lambda at: (at.year, at.month)),
    )
    for count, period in periods:
        newest: dict[object, BackupId] = {}
        for item in regular:
            newest.setdefault(period(item.manifest.begun.astimezone(zone)), item.id)
        kept += list(newest.values())[:count]
    kept += [item.id for item in regular if item.tried and item.tried.succeeded][:1]
    return kept
