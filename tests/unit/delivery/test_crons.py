"""What one look at the schedule decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.delivery.crons import SET_BACK, Known, Look, look, rule
from ecluse.model.cron import Mark
from ecluse.model.deployment import DeploymentState, Pending
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.service import Cron
from tests.unit.delivery.samples import NOON, application

TEST, API = EnvironmentName("test"), ServiceName("api")
HOURLY = Cron("mail", "0 * * * *", ("mail",))
DAILY = Cron("mail", "0 6 * * *", ("mail",), timezone="Europe/Paris")  # 05:00 UTC in winter
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def known(*crons: Cron) -> Known:
    return {TEST: {API: application("api", crons=crons)}}


def mark(cron: Cron, looked_at: datetime) -> Mark:
    return Mark(TEST, API, cron.name, rule(cron), looked_at)


def seen(cron: Cron, *, since: datetime, now: datetime, unfinished: tuple[Pending, ...] = ()) -> Look:
    return look(known(cron), [mark(cron, since)], unfinished, now)


def run(number: int, state: DeploymentState = "running", by: str = "schedule") -> Pending:
    return Pending(number, TEST, "run", state, by, NOON, ("api/mail",))


def test_a_cron_starts_at_its_time_once() -> None:
    first = seen(HOURLY, since=NOON - timedelta(seconds=3), now=NOON + timedelta(seconds=2))
    assert [(start.cron, start.due, start.late) for start in first.starts] == [(HOURLY, NOON, False)]
    assert first.omissions == ()
    again = look(known(HOURLY), first.marks, [], NOON + timedelta(seconds=7))
    assert (again.starts, again.omissions) == ((), ())


def test_a_new_environment_a_new_cron_and_one_switched_on_do_not_look_back() -> None:
    first = look(known(HOURLY), [], [], NOON)
    assert (first.starts, first.omissions) == ((), ())
    assert first.marks == (mark(HOURLY, NOON),)
    off = look(known(replace(HOURLY, enabled=False)), first.marks, [], NOON + HOUR)
    assert off.marks == ()
    on = look(known(HOURLY), off.marks, [], NOON + 2 * HOUR)
    assert (on.starts, on.omissions) == ((), ())


def test_a_cron_with_another_schedule_or_zone_is_new() -> None:
    for changed in (replace(HOURLY, schedule="*/5 * * * *"), replace(HOURLY, timezone="Asia/Kolkata")):
        found = look(known(changed), [mark(HOURLY, NOON - HOUR)], [], NOON)
        assert (found.starts, found.omissions) == ((), ())


def test_one_run_makes_up_for_a_night_and_the_rest_is_on_record() -> None:
    back = NOON + 10 * MINUTE
    found = seen(HOURLY, since=NOON - 5 * HOUR, now=back)
    (start,) = found.starts
    assert (start.due, start.late, start.note) == (NOON, True, "makes up for 2026-03-02 12:00 UTC")
    (omission,) = found.omissions
    assert (omission.kind, omission.since, omission.due) == ("missed", NOON - 4 * HOUR, NOON - HOUR)
    assert omission.why == "no runner was at work"


def test_nothing_makes_up_for_a_time_when_the_next_one_is_nearer() -> None:
    six, evening = datetime.fromisoformat("2026-03-02T05:00+00:00"), "2026-03-02T18:00+00:00"
    morning = seen(DAILY, since=six - HOUR, now=six + 4 * HOUR)
    assert [start.due for start in morning.starts] == [six]
    late = seen(DAILY, since=six - HOUR, now=datetime.fromisoformat(evening))
    assert late.starts == ()
    assert [(item.kind, item.due, item.since) for item in late.omissions] == [("missed", six, None)]
    assert late.omissions[0].why == "no runner was at work; the next time was nearer when one came back"


def test_a_cron_that_makes_up_for_nothing_says_so() -> None:
    found = seen(replace(HOURLY, missed="skip"), since=NOON - 3 * HOUR, now=NOON + 10 * MINUTE)
    assert found.starts == ()
    (omission,) = found.omissions
    assert (omission.since, omission.due) == (NOON - 2 * HOUR, NOON)
    assert omission.why == "no runner was at work; `missed: skip` makes up for nothing"


def test_it_starts_on_time_though_times_before_were_missed() -> None:
    found = seen(replace(HOURLY, missed="skip"), since=NOON - 3 * HOUR, now=NOON + timedelta(seconds=20))
    assert [(start.due, start.late) for start in found.starts] == [(NOON, False)]
    assert [(item.since, item.due) for item in found.omissions] == [(NOON - 2 * HOUR, NOON - HOUR)]


def test_a_week_of_downtime_of_a_cron_of_every_minute_is_one_run_and_one_entry() -> None:
    every_minute = replace(HOURLY, schedule="* * * * *")
    found = seen(every_minute, since=NOON - timedelta(days=7), now=NOON + timedelta(seconds=30))
    assert len(found.starts) == len(found.omissions) == 1


@pytest.mark.parametrize("holder", [run(7), run(7, "queued"), run(7, by="anna")])
def test_a_cron_whose_run_has_not_ended_is_skipped_and_it_shows(holder: Pending) -> None:
    found = seen(HOURLY, since=NOON - MINUTE, now=NOON, unfinished=(holder,))
    assert found.starts == ()
    (omission,) = found.omissions
    assert (omission.kind, omission.due, omission.command) == ("skipped", NOON, "api/mail")
    assert omission.why == f"deployment 7 (asked by {holder.requested_by}) had not ended"


def test_a_run_elsewhere_or_of_another_command_is_in_nobodys_way() -> None:
    elsewhere = replace(run(7), environment=EnvironmentName("prod"))
    another = replace(run(8), commands=("api/mails",))
    assert len(seen(HOURLY, since=NOON - MINUTE, now=NOON, unfinished=(elsewhere, another)).starts) == 1


def test_a_cron_that_queues_waits_for_its_turn_one_at_a_time() -> None:
    queueing = replace(HOURLY, overlap="queue")
    assert len(seen(queueing, since=NOON - MINUTE, now=NOON, unfinished=(run(7),)).starts) == 1
    full = seen(queueing, since=NOON - MINUTE, now=NOON, unfinished=(run(7), run(8, "queued")))
    assert full.starts == ()
    assert full.omissions[0].why == "deployment 8 (asked by schedule) waited already"


def test_a_clock_that_goes_back_a_little_runs_nothing_twice() -> None:
    back = look(known(HOURLY), [mark(HOURLY, NOON + MINUTE)], [], NOON - MINUTE)
    assert (back.starts, back.marks) == ((), (mark(HOURLY, NOON + MINUTE),))
    assert look(known(HOURLY), back.marks, [], NOON + MINUTE).starts == ()
    assert len(look(known(HOURLY), back.marks, [], NOON + HOUR).starts) == 1


def test_a_clock_that_was_years_ahead_begins_anew() -> None:
    found = look(known(HOURLY), [mark(HOURLY, NOON + timedelta(days=900))], [], NOON + MINUTE)
    assert (found.starts, found.marks) == ((), (mark(HOURLY, NOON + MINUTE),))
    assert len(look(known(HOURLY), found.marks, [], NOON + HOUR).starts) == 1


def test_a_clock_that_jumps_ahead_is_a_downtime_and_no_burst() -> None:
    found = seen(HOURLY, since=NOON, now=NOON + timedelta(days=3, minutes=5))
    assert len(found.starts) == 1


def test_a_clock_that_jumps_ahead_makes_up_for_nothing_that_is_to_be_skipped() -> None:
    found = seen(replace(HOURLY, missed="skip"), since=NOON, now=NOON + timedelta(days=3, minutes=5))
    assert found.starts == ()
    (omission,) = found.omissions
    assert (omission.since, omission.due) == (NOON + HOUR, NOON + timedelta(days=3))


AT_NIGHT = replace(DAILY, schedule="30 2 * * *")
QUARTERS = replace(DAILY, schedule="*/15 * * * *")
CHANGES = {"summer": "2026-03-28T20:00+00:00", "winter": "2026-10-24T20:00+00:00"}


@pytest.mark.parametrize(
    ("change", "cron", "count"),
    # 26 hours from the evening before hold one night, whether it is shorter or longer than others
    [("summer", AT_NIGHT, 1), ("winter", AT_NIGHT, 1), ("summer", QUARTERS, 104), ("winter", QUARTERS, 104)],
)
def test_a_day_when_the_clocks_change_has_each_time_once(change: str, cron: Cron, count: int) -> None:
    begin = datetime.fromisoformat(CHANGES[change])
    started, omissions = _looked([begin + n * MINUTE for n in range(26 * 60 + 1)], cron)
    assert len(started) == len(set(started)) == count
    assert omissions == 0


@pytest.mark.parametrize(
    ("change", "away", "back", "due", "note"),
    [
        # the time that does not exist is missed at the instant of the change
        ("summer", 4 * HOUR, 5.5 * HOUR, "2026-03-29T01:00+00:00", "makes up for 2026-03-29 03:00 Europe/Paris"),
        # the hour that comes twice is missed the first time, and made up for in the second
        ("winter", 4 * HOUR, 5.25 * HOUR, "2026-10-25T00:30+00:00", "makes up for 2026-10-25 02:30 Europe/Paris"),
    ],
)  # fmt: skip
def test_one_run_makes_up_for_a_clock_that_jumps_over_a_change(
    change: str, away: timedelta, back: timedelta, due: str, note: str
) -> None:
    begin = datetime.fromisoformat(CHANGES[change])
    found = seen(AT_NIGHT, since=begin + away, now=begin + back)
    assert [(start.due, start.note) for start in found.starts] == [(datetime.fromisoformat(due), note)]
    assert found.omissions == ()
    assert look(known(AT_NIGHT), found.marks, [], begin + back + 2 * HOUR).starts == ()


@given(
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from([AT_NIGHT, QUARTERS, HOURLY]),
    st.lists(st.integers(-90, 200), min_size=1, max_size=40),
)
def test_whatever_the_clock_does_within_its_bounds_no_time_comes_twice(
    change: str, cron: Cron, jumps: list[int]
) -> None:
    now = latest = datetime.fromisoformat(CHANGES[change])
    moments = [now]
    for jump in jumps:
        now = max(now + jump * MINUTE, latest - SET_BACK)
        latest = max(latest, now)
        moments.append(now)
    started, _ = _looked(moments, cron)
    assert len(started) == len(set(started))


def _looked(moments: list[datetime], cron: Cron) -> tuple[list[datetime], int]:
    """The times for which runs start when somebody looks at these moments, and how many omissions there are."""
    marks: tuple[Mark, ...] = ()
    started: list[datetime] = []
    omissions = 0
    for now in moments:
        found = look(known(cron), marks, [], now)
        marks = found.marks
        started += [start.due for start in found.starts]
        omissions += len(found.omissions)
    return started, omissions


def test_a_service_that_is_gone_is_forgotten() -> None:
    assert look({}, [mark(HOURLY, NOON - HOUR)], [], NOON) == Look((), (), ())
