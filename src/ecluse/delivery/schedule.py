"""Which crons are due. Pure: time comes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.service import Cron


def due(
    applications: Mapping[ServiceName, Application], after: datetime, until: datetime
) -> Iterator[tuple[ServiceName, Cron, datetime]]:
    """The crons with a time in (after, until], each once, with its newest such time."""
    for name, application in applications.items():
        for cron in application.crons.values():
            if not cron.enabled:
                continue
            newest = newest_time(cron, until)
            if newest > after:
                yield name, cron, newest


def newest_time(cron: Cron, until: datetime) -> datetime:
    """The last time at or before `until` at which `cron` should run, in its own time zone."""
    local = until.astimezone(ZoneInfo(cron.timezone))
    if croniter.match(cron.schedule, local):
        return local.replace(second=0, microsecond=0)
    previous: datetime = croniter(cron.schedule, local).get_prev(datetime)
    return previous
