"""When a cron's times are, in its own zone and on days when the clocks change. Pure: time comes in.

A schedule that names hours means the clock on the wall: a time that a change of the clocks leaves out comes at
the instant of the change, a time that occurs twice comes the first time only. A schedule for every hour (`*`)
means the distance between two times: it goes on evenly through the change. cron(8) of Debian does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from ecluse.model.service import Cron

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def newest_time(cron: Cron, until: datetime) -> datetime | None:
    """The last time at or before `until` at which `cron` should run (UTC); None when there is none."""
    zone = ZoneInfo(cron.timezone)
    try:
        if _is_even(cron):
            return _newest_even(cron.schedule, until, zone)
        return _newest_on_the_wall(cron.schedule, until, zone)
    except CroniterBadDateError:
        return None


def next_time(cron: Cron, after: datetime) -> datetime | None:
    """The first time after `after` at which `cron` should run (UTC); None when there is none."""
    zone = ZoneInfo(cron.timezone)
    try:
        if _is_even(cron):
            return _next_even(cron.schedule, after, zone)
        return next(time for time in _on_the_wall(cron.schedule, after, zone) if time > after)
    except CroniterBadDateError:
        return None


def _is_even(cron: Cron) -> bool:
    return cron.schedule.split()[1] == "*"


def _newest_on_the_wall(schedule: str, until: datetime, zone: ZoneInfo) -> datetime:
    # just after clocks went back, times that the wall shows as ahead are in the past
    repeated = max(timedelta(), _offset(until - DAY, zone) - _offset(until, zone))
    walls = croniter(schedule, _wall(until, zone) + repeated + SECOND)
    while True:
        time = _instant(walls.get_prev(datetime), zone)
        if time <= until:
            return time


def _on_the_wall(schedule: str, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    walls = croniter(schedule, _wall(after, zone))
    while True:
        yield _instant(walls.get_next(datetime), zone)


def _newest_even(schedule: str, until: datetime, zone: ZoneInfo) -> datetime:
    while True:
        offset = _offset(until, zone)
        wall: datetime = croniter(schedule, _wall(until, zone) + SECOND).get_prev(datetime)
        time = (wall - offset).replace(tzinfo=UTC)
        if _offset(time, zone) == offset:
            return time
        until = _change(time, until, zone) - SECOND


def _next_even(schedule: str, after: datetime, zone: ZoneInfo) -> datetime:
    wall, offset = _wall(after, zone), _offset(after, zone)
    while True:
        following: datetime = croniter(schedule, wall).get_next(datetime)
        time = (following - offset).replace(tzinfo=UTC)
        if _offset(time, zone) == offset:
            return time
        after = _change(after, time, zone)
        wall, offset = _wall(after, zone) - SECOND, _offset(after, zone)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a clock on the wall shows `wall` for the first time, or jumps over it."""
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    # PEP 495: in a gap, fold=1 reads the wall by the offset after the change, and so lands before it
    return _change(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of a change of the offset between two that differ by it, to the second."""
    before, after = (moment.astimezone(UTC).replace(microsecond=0) for moment in (before, after))
    wanted = _offset(after, zone)
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if _offset(middle, zone) == wanted:
            after = middle
        else:
            before = middle
    return after


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall of `zone` shows, without a zone, in whole seconds."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "a moment in a zone has an offset"
    return offset
