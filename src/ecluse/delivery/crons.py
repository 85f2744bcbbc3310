"""Which crons start now, which times pass without a run, and why. Pure: the record and the time come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ecluse.delivery.queue import occupant
from ecluse.delivery.schedule import SECOND, newest_time, next_time
from ecluse.model.application import Application
from ecluse.model.cron import Mark, Omission, OmissionKind
from ecluse.model.deployment import Pending
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import ALONE
from ecluse.model.service import Cron

PUNCTUAL = timedelta(seconds=90)
"""A run that starts within this of its time is on time; later, it makes up for a missed one."""
SET_BACK = timedelta(hours=3)
"""A clock that goes back further was wrong before: the schedule begins anew. Less, and nothing runs twice.
cron(8) draws the line at the same place."""

Known = Mapping[EnvironmentName, Mapping[ServiceName, Application]]
Scheduled = tuple[EnvironmentName, ServiceName, Cron]
BACKUP = ServiceName("backup")
"""What the backups of an environment go by in the schedule: `backup/NAME`, as plans say."""


@dataclass(frozen=True, slots=True)
class Start:
    """A cron to start now. due: the time that it is for; late: it makes up for that time."""

    environment: EnvironmentName
    service: ServiceName
    cron: Cron
    due: datetime
    late: bool

    @property
    def note(self) -> str | None:
        """What the record says of it."""
        return f"makes up for {_local(self.due, self.cron)}" if self.late else None


@dataclass(frozen=True, slots=True)
class Look:
    """What comes of one look at the schedule. marks: of every cron that is on, to be kept for the next look."""

    marks: tuple[Mark, ...]
    starts: tuple[Start, ...]
    omissions: tuple[Omission, ...]


def look(
    known: Known,
    marks: Iterable[Mark],
    unfinished: Sequence[Pending],
    now: datetime,
    *,
    backups: Iterable[Scheduled] = (),
) -> Look:
    """Looks at what came due since the last look. A cron without a mark is new: nobody looks back.

    known: what runs well in each environment. backups: what else is on a schedule. At most one run of a cron
    comes of it, whatever was missed.
    """
    before = {(mark.environment, mark.service, mark.cron): mark for mark in marks}
    new_marks: list[Mark] = []
    starts: list[Start] = []
    omissions: list[Omission] = []
    for environment, service, cron in (*_switched_on(known), *backups):
        mark = before.get((environment, service, cron.name))
        fresh = Mark(environment, service, cron.name, rule(cron), now)
        if mark is None or mark.rule != fresh.rule or mark.looked_at - now > SET_BACK:
            new_marks.append(fresh)
            continue
        new_marks.append(replace(mark, looked_at=max(mark.looked_at, now)))
        found = _Turn(mark, cron, unfinished, now)
        omissions += found.omissions()
        starts += found.starts()
    return Look(tuple(new_marks), tuple(starts), tuple(omissions))


def rule(cron: Cron) -> str:
    """What makes the times of a cron."""
    return f"{cron.schedule} {cron.timezone}"


def _switched_on(known: Known) -> Iterator[Scheduled]:
    for environment, applications in known.items():
        for service, application in applications.items():
            for cron in application.crons.values():
                if cron.enabled:
                    yield environment, service, cron


class _Turn:
    """One cron at one look: the times since its mark, and what becomes of them."""

    def __init__(self, mark: Mark, cron: Cron, unfinished: Sequence[Pending], now: datetime) -> None:
        self._mark, self._cron, self._now = mark, cron, now
        newest = newest_time(cron, now)
        self._due = newest if newest and newest > mark.looked_at else None
        command = f"{mark.service}/{cron.name}"
        self._busy = _in_the_way(cron, command, [i for i in unfinished if i.environment == mark.environment])

    def starts(self) -> Iterator[Start]:
        if self._due and not self._lost() and not self._busy:
            yield Start(self._mark.environment, self._mark.service, self._cron, self._due, self._is_late())

    def omissions(self) -> Iterator[Omission]:
        if self._due is None:
            return
        first = next_time(self._cron, self._mark.looked_at) or self._due
        if why := self._lost():
            yield self._omission("missed", self._due, why, first)
            return
        if first < self._due:
            last = newest_time(self._cron, self._due - SECOND) or first
            yield self._omission("missed", last, "no runner was at work", first)
        if self._busy:
            yield self._omission("skipped", self._due, self._busy, self._due)

    def _lost(self) -> str | None:
        """Why nothing makes up for a time that has passed; None when it is on time, or made up for."""
        if self._due is None or not self._is_late():
            return None
        if self._cron.missed == "skip":
            return "no runner was at work; `missed: skip` makes up for nothing"
        following = next_time(self._cron, self._now)
        if following and self._now - self._due > following - self._now:
            return "no runner was at work; the next time was nearer when one came back"
        return None

    def _is_late(self) -> bool:
        return self._due is not None and self._now - self._due > PUNCTUAL

    def _omission(self, kind: OmissionKind, due: datetime, why: str, first: datetime) -> Omission:
        mark, since = self._mark, first if first < due else None
        return Omission(mark.environment, mark.service, mark.cron, kind, due, self._now, why, since)


def _in_the_way(cron: Cron, command: str, unfinished: Sequence[Pending]) -> str | None:
    """The run because of which another one may not even wait: one under way, or with `queue` one that waits."""
    mine = [item for item in unfinished if item.kind in ALONE or command.startswith(f"{BACKUP}/")]
    if cron.overlap == "queue":
        mine = [item for item in mine if item.state == "queued"]
    found = occupant(mine, [command])
    if found is None:
        return None
    state = "waited already" if cron.overlap == "queue" else "had not ended"
    return f"deployment {found.number} (asked by {found.requested_by}) {state}"


def _local(moment: datetime, cron: Cron) -> str:
    return f"{moment.astimezone(ZoneInfo(cron.timezone)):%Y-%m-%d %H:%M} {cron.timezone}"
