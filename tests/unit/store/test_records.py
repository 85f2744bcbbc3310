from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ecluse.errors import NotFound
from ecluse.model.application import Application
from ecluse.model.cause import Cause
from ecluse.model.deployment import LedgerEntry
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.model.secret import Sealed
from ecluse.store.database import open_database, open_memory
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import NOON, TARGET, application, database

TEST = EnvironmentName("test")


@pytest.fixture(params=["file", "memory"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRecords]:
    engine = open_database(tmp_path / "state") if request.param == "file" else open_memory()
    yield SqlRecords(engine)
    engine.dispose()


def intent(*applications: Application, removed: tuple[str, ...] = ()) -> Intent:
    steps = [Step(app.service, None, app.release.version) for app in applications]
    steps += [Step(ServiceName(name), "1", None) for name in removed]
    plan = Plan("test", "deploy", "abc", tuple(steps), ())
    return Intent(
        TARGET, plan, {app.service: app for app in applications}, {}, backing={"db": database("api")}
    )


def succeed(records: SqlRecords, wanted: Intent) -> int:
    number = records.enqueue(wanted, by="me")
    records.begin(number)
    records.end(number, "succeeded")
    return number


def test_a_deployment_comes_back_as_it_was_recorded(records: SqlRecords) -> None:
    wanted = intent(application("api", settings={"TOKEN": Sealed("aaaa"), "LEVEL": "info"}))
    number = records.enqueue(wanted, by="me")
    assert records.deployment(number).intent == wanted
    assert records.deployment(number).state == "queued"
    assert [item.number for item in records.unfinished()] == [number]


def test_an_unknown_deployment_is_said(records: SqlRecords) -> None:
    with pytest.raises(NotFound):
        records.deployment(7)


def test_only_success_becomes_known_good(records: SqlRecords) -> None:
    first, second = application("api", "1"), application("api", "2")
    succeed(records, intent(first))
    failed = records.enqueue(intent(second), by="me")
    records.end(failed, "restored", Cause("exited", "api/web", "it exited"))
    assert records.known_good(TEST).applications == {"api": first}
    assert records.deployment(failed).cause == Cause("exited", "api/web", "it exited")
    records.end(failed, "succeeded")
    assert records.known_good(TEST).applications == {"api": first}


def test_known_good_is_kept_per_service_and_can_be_asked_for_the_past(records: SqlRecords) -> None:
    one, two = application("api", "1"), application("api", "2")
    web = application("web", "1")
    begin = succeed(records, intent(one, web))
    later = succeed(records, intent(two))
    assert records.known_good(TEST).applications == {"api": two, "web": web}
    assert records.known_good(TEST).deployments == {"api": later, "web": begin}
    assert records.known_good(TEST, at=begin).applications == {"api": one, "web": web}
    assert records.known_good(TEST).backing == {"db": database("api")}


def test_a_removed_service_is_known_good_no_more(records: SqlRecords) -> None:
    succeed(records, intent(application("api"), application("web")))
    succeed(records, intent(application("api"), removed=("web",)))
    assert set(records.known_good(TEST).applications) == {"api"}
    assert records.environments() == [TEST]
    succeed(records, intent(removed=("api",)))
    assert records.environments() == []


def test_events_are_numbered_within_their_deployment(records: SqlRecords) -> None:
    one, two = (records.enqueue(intent(application("api")), by="me") for _ in range(2))
    for number in (one, two, one):
        records.append(number, Event("note", "api", "hello", data={"seconds": 1.5}))
    assert [item.number for item in records.events(one)] == [1, 2]
    assert [item.number for item in records.events(one, after=1)] == [2]
    assert records.events(two)[0].event == Event("note", "api", "hello", data={"seconds": 1.5})


def test_the_ledger_keeps_the_last_outcome_of_a_run(records: SqlRecords) -> None:
    def entry(*, succeeded: bool) -> LedgerEntry:
        return LedgerEntry(ServiceName("api"), "migrate", "k", 1, NOON, reversible=False, succeeded=succeeded)

    records.enter(TEST, entry(succeeded=False))
    records.enter(TEST, entry(succeeded=True))
    assert records.ledger(TEST) == [entry(succeeded=True)]


def test_release_tasks_are_forgotten_with_the_data_that_they_changed(records: SqlRecords) -> None:
    entry = LedgerEntry(ServiceName("api"), "migrate", "k", 1, NOON, reversible=True, succeeded=True)
    records.enter(TEST, entry)
    succeed(records, intent(removed=("api",)))
    assert records.ledger(TEST) == [entry]
    succeed(records, replace(intent(), volumes=True))
    assert records.ledger(TEST) == []


def test_a_cancel_is_a_flag_that_others_read(records: SqlRecords) -> None:
    number = records.enqueue(intent(application("api")), by="me")
    assert not records.is_cancel_requested(number)
    records.request_cancel(number)
    assert records.is_cancel_requested(number)


def test_a_database_is_migrated_once_and_opened_by_many(tmp_path: Path) -> None:
    first, second = open_database(tmp_path), open_database(tmp_path)
    number = SqlRecords(first).enqueue(intent(application("api")), by="me")
    assert SqlRecords(second).deployment(number).requested_by == "me"
