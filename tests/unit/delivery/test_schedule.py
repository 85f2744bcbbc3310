"""Times in a zone, through the days on which the clocks change. Europe/Paris: forward on 2026-03-29 at 02:00
(01:00 UTC) to 03:00, back on 2026-10-25 at 03:00 (01:00 UTC) to 02:00."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.delivery.schedule import newest_time, next_time
from ecluse.model.service import Cron

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata")
SCHEDULES = ("*/7 * * * *", "30 2 * * *", "0 */2 * * *", "15 0 * * *", "0 6 * * 1-5", "59 23 28-31 * *")


def cron(schedule: str, zone: str = "Europe/Paris") -> Cron:
    return Cron("mail", schedule, ("mail",), timezone=zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(one: Cron, after: str, count: int) -> list[str]:
    found, moment = [], at(after)
    for _ in range(count):
        following = next_time(one, moment)
        assert following is not None
        moment = following
        found.append(moment.strftime("%d %H:%M"))
    return found


def test_a_time_is_one_of_the_clock_on_the_wall_of_the_zone() -> None:
    assert times(cron("0 6 * * 1-5"), "2026-03-27 00:00", 3) == ["27 05:00", "30 04:00", "31 04:00"]
    assert newest_time(cron("0 6 * * *"), at("2026-03-02 05:00")) == at("2026-03-02 05:00")
    assert newest_time(cron("0 6 * * *"), at("2026-03-02 04:59:59")) == at("2026-03-01 05:00")


def test_a_time_that_does_not_exist_comes_at_the_instant_of_the_change() -> None:
    half_past_two = cron("30 2 * * *")
    assert times(half_past_two, "2026-03-28 00:00", 3) == ["28 01:30", "29 01:00", "30 00:30"]
    assert newest_time(half_past_two, at("2026-03-29 00:59:59")) == at("2026-03-28 01:30")
    assert newest_time(half_past_two, at("2026-03-29 01:00")) == at("2026-03-29 01:00")


def test_times_that_do_not_exist_and_the_one_after_them_come_once() -> None:
    assert times(cron("*/30 2,3 * * *"), "2026-03-29 00:00", 3) == ["29 01:00", "29 01:30", "30 00:00"]


def test_a_time_that_occurs_twice_comes_the_first_time() -> None:
    half_past_two = cron("30 2 * * *")
    assert times(half_past_two, "2026-10-24 12:00", 2) == ["25 00:30", "26 01:30"]
    for later in ("2026-10-25 00:30", "2026-10-25 01:10", "2026-10-25 01:30", "2026-10-25 20:00"):
        assert newest_time(half_past_two, at(later)) == at("2026-10-25 00:30")


def test_a_schedule_for_every_hour_goes_on_evenly_through_both_changes() -> None:
    assert times(cron("30 * * * *"), "2026-03-29 00:00", 3) == ["29 00:30", "29 01:30", "29 02:30"]
    assert times(cron("*/30 * * * *"), "2026-10-25 00:00", 4) == [
        "25 00:30",
        "25 01:00",
        "25 01:30",
        "25 02:00",
    ]
    assert newest_time(cron("40 * * * *"), at("2026-10-25 01:10")) == at("2026-10-25 00:40")


def test_a_change_of_half_an_hour_is_one_too() -> None:
    # Lord Howe Island: back at 02:00 (+11) to 01:30 (+10:30) on 2026-04-05, 15:00 UTC the day before
    quarter_to_two = cron("45 1 * * *", "Australia/Lord_Howe")
    assert times(quarter_to_two, "2026-04-04 00:00", 2) == ["04 14:45", "05 15:15"]


def test_a_day_that_never_comes_has_no_time() -> None:
    assert next_time(cron("0 6 30 2 *"), at("2026-01-01")) is None
    assert newest_time(cron("0 6 30 2 *"), at("2026-01-01")) is None


def test_a_leap_day_is_found_years_ahead() -> None:
    assert next_time(cron("0 * 29 2 *"), at("2025-07-01")) == at("2028-02-28 23:00")


@settings(max_examples=150, deadline=None)
@given(
    minutes=st.integers(0, 60 * 24 * 800),
    zone=st.sampled_from(ZONES),
    schedule=st.sampled_from(SCHEDULES),
)
def test_looking_back_finds_what_looking_ahead_foretold(minutes: int, zone: str, schedule: str) -> None:
    one = cron(schedule, zone)
    start = at("2025-01-01") + timedelta(minutes=minutes)
    following = next_time(one, start)
    assert following is not None
    assert following > start
    assert newest_time(one, following) == following
    before = newest_time(one, following - timedelta(seconds=1))
    assert before is not None
    assert before <= start
    assert next_time(one, before) == following


@pytest.mark.parametrize("schedule", ["30 2 * * *", "*/10 * * * *", "15 1,3 * * *"])
def test_days_around_a_change_looked_at_every_few_minutes_give_each_time_once(schedule: str) -> None:
    one, moment, seen = cron(schedule), at("2026-03-28"), []
    last = moment
    while moment < at("2026-03-31"):
        moment += timedelta(minutes=3)
        newest = newest_time(one, moment)
        if newest and newest > last:
            seen.append(newest)
            last = moment
    foretold, following = [], next_time(one, at("2026-03-28"))
    while following and following <= moment:
        foretold.append(following)
        following = next_time(one, following)
    assert seen == foretold
