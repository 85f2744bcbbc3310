from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ecluse.delivery.retention import is_test_due, surplus
from ecluse.model.backup import Backup, Manifest, Tried, backup_stamp
from ecluse.model.names import EnvironmentName
from ecluse.model.product import BackupRule, Keep

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHTLY = BackupRule("30 2 * * *", "Europe/Paris", Keep(last=1, daily=7, weekly=4, monthly=6))


def backup(at: datetime, *, safety: bool = False, passed: bool | None = None) -> Backup:
    manifest = Manifest(
        EnvironmentName("test"),
        "db",
        backup_stamp(at),
        "mariadb",
        "10.11",
        at,
        at,
        1,
        "schedule",
        {},
        (),
        safety,
    )
    return Backup(manifest, None if passed is None else Tried(at, passed))


def kept(found: list[Backup], rule: BackupRule = NIGHTLY) -> list[datetime]:
    gone = set(surplus(found, rule, NOW))
    return [item.manifest.begun for item in found if item.id not in gone]


def nights(count: int) -> list[Backup]:
    return [backup(NOW - number * DAY) for number in range(count)]


def test_a_year_of_nights_leaves_seven_days_four_weeks_and_six_months() -> None:
    left = kept(nights(365))
    assert left[:7] == [NOW - number * DAY for number in range(7)]
    assert [at.date().isoformat() for at in left[7:]] == [
        "2026-03-22",
        "2026-03-15",
        "2026-02-28",
        "2026-01-31",
        "2025-12-31",
        "2025-11-30",
        "2025-10-31",
    ]


def test_what_is_kept_does_not_depend_on_how_often_one_looks() -> None:
    found = nights(100)
    once = kept(found)
    left: list[Backup] = []
    for item in reversed(found):
        left = [item, *left]
        gone = set(surplus(left, NIGHTLY, item.manifest.begun))
        left = [other for other in left if other.id not in gone]
    assert set(once) <= {item.manifest.begun for item in left}


def test_a_machine_that_was_off_for_months_loses_nothing() -> None:
    old = [backup(NOW - timedelta(days=300) - number * DAY) for number in range(5)]
    assert len(kept(old)) == 5


def test_the_newest_of_a_day_stands_for_it_in_the_zone_of_the_rule() -> None:
    late, early = datetime(2026, 3, 10, 23, 30, tzinfo=UTC), datetime(2026, 3, 10, 22, 30, tzinfo=UTC)
    rule = BackupRule("0 * * * *", "Europe/Paris", Keep(last=1, daily=9, weekly=0, monthly=0))
    found = [backup(late), backup(early)]
    assert kept(found, rule) == [late, early]
    assert kept(found, BackupRule(rule.schedule, "UTC", rule.keep)) == [late]


def test_the_newest_that_opened_stays_whatever_the_rule_says() -> None:
    rule = BackupRule("0 * * * *", "UTC", Keep(last=1, daily=1, weekly=0, monthly=0))
    proven = backup(NOW - 40 * DAY, passed=True)
    found = [
        backup(NOW, passed=False),
        backup(NOW - DAY),
        proven,
        backup(NOW - 50 * DAY, passed=True),
    ]
    assert kept(found, rule) == [NOW, proven.manifest.begun]


def test_copies_made_before_a_restore_stay_for_thirty_days() -> None:
    young, old = backup(NOW - 29 * DAY, safety=True), backup(NOW - 31 * DAY, safety=True)
    assert kept([backup(NOW), young, old]) == [NOW, young.manifest.begun]


def test_a_weekly_test_is_due_when_none_passed_for_a_week() -> None:
    assert is_test_due([], NIGHTLY, NOW)
    assert not is_test_due([backup(NOW - 6 * DAY, passed=True)], NIGHTLY, NOW)
    assert is_test_due([backup(NOW - 7 * DAY + timedelta(minutes=1), passed=True)], NIGHTLY, NOW)
    assert is_test_due([backup(NOW - DAY, passed=False), backup(NOW - 8 * DAY, passed=True)], NIGHTLY, NOW)
    each, never = (BackupRule("0 0 * * *", test=test) for test in ("each", "never"))  # type: ignore[arg-type]
    assert is_test_due([backup(NOW - DAY, passed=True)], each, NOW)
    assert not is_test_due([], never, NOW)
