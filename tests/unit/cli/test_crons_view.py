"""The list of crons as people read it, and a history with what did not run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.cli.crons_view import show_cron, show_crons, show_output
from ecluse.model.cron import CronRun, CronStatus, Omission
from ecluse.model.event import Event, Recorded
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.service import Cron

TEST, API = EnvironmentName("test"), ServiceName("api")
SIX = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
MAIL = Cron("mail", "0 6 * * 1-5", ("mail",), timezone="Europe/Paris")
RUN = CronRun(7, "failed", "schedule", SIX, 12.4, "makes up for it", "mail ended with exit code 3")
OMISSION = Omission(TEST, API, "mail", "missed", SIX, SIX, "no runner was at work", SIX - timedelta(days=2))


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def status(cron: Cron = MAIL, *runs: CronRun, omissions: tuple[Omission, ...] = ()) -> CronStatus:
    return CronStatus(TEST, API, cron, SIX + timedelta(days=1) if cron.enabled else None, runs, omissions)


def test_each_cron_has_its_next_time_in_its_zone_and_here(capsys: pytest.CaptureFixture[str]) -> None:
    off = Cron("report", "0 3 * * *", ("report",), enabled=False, reason="the old side does it")
    show_crons([status(MAIL, RUN, omissions=(OMISSION,)), status(off)])
    assert capsys.readouterr().out == (
        "CRON        SCHEDULE     ZONE          NEXT                           LAST RUN  WHEN                 TOOK  NO\n"
        "api/mail    0 6 * * 1-5  Europe/Paris  2026-03-03 06:00 (05:00 here)  failed    2026-03-02 05:00:00  12 s  7\n"
        "api/report  0 3 * * *    UTC           off: the old side does it      never\n"
        "  api/mail missed 2026-02-28 06:00 to 2026-03-02 06:00 Europe/Paris: no runner was at work\n"
    )


def test_one_cron_is_shown_with_its_rules_and_last_runs(capsys: pytest.CaptureFixture[str]) -> None:
    show_cron(status(MAIL, RUN))
    assert capsys.readouterr().out == (
        "api/mail in test: 0 6 * * 1-5 Europe/Paris\n"
        "  next: 2026-03-03 06:00 (05:00 here)\n"
        "  when a run has not ended: skip; missed times: once; ends after 3600 s\n"
        "NO  WHEN                 STATE   TOOK  BY        WHY\n"
        "7   2026-03-02 05:00:00  failed  12 s  schedule  mail ended with exit code 3\n"
    )


def test_the_output_of_a_run_stands_under_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_output(RUN, [Recorded(7, 3, SIX, Event("output", "api/mail", "two sent"))])
    assert capsys.readouterr().out == (
        "deployment 7, 2026-03-02 05:00:00, by schedule: failed in 12 s\n"
        "  05:00:00 | two sent\n"
        "  mail ended with exit code 3\n"
    )
