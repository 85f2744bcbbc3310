from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from ecluse import store
from ecluse.errors import Busy, CutShort, NotFound, RecordDamaged, Refused
from ecluse.model.application import Application
from ecluse.model.cause import Cause
from ecluse.model.deployment import LedgerEntry
from ecluse.model.event import Event
from ecluse.model.lease import Holder, Lease
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.model.quarantine import Quarantined
from ecluse.model.secret import Sealed
from ecluse.store.database import open_database, open_memory
from ecluse.store.leases import SqlLeases
from ecluse.store.records import SqlRecords
from ecluse.store.schedule import SqlSchedule
from tests.unit.delivery.samples import NOON, TARGET, application, database

TEST, API = EnvironmentName("test"), ServiceName("api")


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


ONE, TWO = Holder("machine", 10, "0.1.0"), Holder("machine", 11, "0.1.0")


@dataclass
class MovedClock:
    """Implements ports.Clock."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


def test_who_lost_the_lease_can_write_nothing_of_a_deployment(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    leases, free = SqlLeases(engine, MovedClock()), SqlRecords(engine)
    number = free.enqueue(intent(application("api")), by="me")
    first = free.under(leases.take(ONE))
    first.begin(number)
    second = free.under(leases.take(TWO))
    entry = LedgerEntry(ServiceName("api"), "migrate", "k", 1, NOON, reversible=True, succeeded=True)
    before = list(free.events(number))
    for write in (
        lambda: first.append(number, Event("note", "", "too late")),
        lambda: first.end(number, "succeeded"),
        lambda: first.enter(TEST, entry),
        lambda: first.keep(number, database("api")),
        lambda: first.begin(number),
        lambda: first.replan(number, intent()),
        lambda: SqlSchedule(engine).under(Lease(1, ONE, NOON)).keep([]),
    ):
        with pytest.raises(CutShort) as caught:
            write()
        assert caught.value.message.startswith("another runner has taken over")
    assert (list(free.events(number)), free.known_good(TEST).applications, free.ledger(TEST)) == (
        before,
        {},
        [],
    )
    second.end(number, "succeeded")
    assert set(free.known_good(TEST).applications) == {"api"}


def test_a_lease_is_taken_at_once_on_its_machine_and_elsewhere_when_it_is_silent(tmp_path: Path) -> None:
    clock = MovedClock()
    leases = SqlLeases(open_database(tmp_path), clock)
    elsewhere = Holder("another", 10, "0.1.0")
    assert leases.current() is None
    assert leases.take(ONE).token == 1
    assert leases.take(TWO).token == 2
    with pytest.raises(Busy):
        leases.take(elsewhere)
    clock.time += timedelta(seconds=14)
    leases.beat(Lease(2, TWO, NOON))
    clock.time += timedelta(seconds=14)
    with pytest.raises(Busy):
        leases.take(elsewhere)
    clock.time += timedelta(seconds=2)
    taken = leases.take(elsewhere)
    assert (taken.token, leases.current()) == (3, taken)
    with pytest.raises(CutShort):
        leases.beat(Lease(2, TWO, NOON))


def test_what_another_process_writes_is_noticed_without_reading(tmp_path: Path) -> None:
    mine, other = SqlRecords(open_database(tmp_path)), SqlRecords(open_database(tmp_path))
    before = mine.stamp()
    assert mine.stamp() == before
    other.enqueue(intent(application("api")), by="me")
    assert mine.stamp() != before


def test_a_record_that_is_locked_is_cut_short_and_one_that_is_no_record_is_damaged(tmp_path: Path) -> None:
    records = SqlRecords(open_database(tmp_path))
    locker = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecluse.store.database.BUSY_MILLISECONDS", 10)
        hurried = SqlRecords(open_database(tmp_path))
        with pytest.raises(CutShort) as locked:
            hurried.append(1, Event("note"))
    assert "database is locked" in locked.value.message
    locker.execute("ROLLBACK")
    locker.close()
    assert records.unfinished() == []
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "state.sqlite").write_bytes(b"no record at all " * 500)
    with pytest.raises(RecordDamaged) as damaged:
        open_database(tmp_path / "other")
    assert damaged.value.hint is not None
    assert "`ecluse adopt ENV`" in damaged.value.hint


def test_a_record_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with open_database(tmp_path).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused) as caught:
        open_database(tmp_path)
    assert "newer version of Écluse" in caught.value.message


def test_neighbours_do_not_forget_what_the_other_brought(records: SqlRecords) -> None:
    api, web = application("api", backing=("db",)), application("web", backing=("cache",))
    cache = replace(database("web"), name="cache")
    for wanted, behind in ((api, database("api")), (web, cache)):
        succeed(records, replace(intent(wanted), backing={behind.name: behind}))
    assert records.known_good(TEST).backing == {"db": database("api"), "cache": cache}


def test_what_ends_last_counts_though_it_was_asked_for_first(records: SqlRecords) -> None:
    db = database("api")
    succeed(records, intent(application("api", backing=("db",))))
    turned = replace(db, accounts={API: Sealed("pw-2")}, turns={API: 2})
    rotated = replace(intent(application("api", backing=("db",))), backing={"db": turned})
    beside = replace(intent(application("web")), backing={"db": db})
    first, second = (
        records.enqueue(replace(wanted, previous_backing={"db": db}), by="me") for wanted in (rotated, beside)
    )
    records.end(second, "succeeded")
    records.end(first, "succeeded")
    assert records.known_good(TEST).backing["db"].turn(API) == 2
    assert records.known_good(TEST, at=first).backing["db"].accounts[API] == Sealed("pw-2")


def test_a_neighbour_leaves_the_version_that_came_meanwhile(records: SqlRecords) -> None:
    old = replace(database("api"), version="10.5")
    succeed(records, replace(intent(application("api", backing=("db",))), backing={"db": old}))
    changing, beside = (
        records.enqueue(replace(intent(app), backing={"db": backing}, previous_backing={"db": old}), by="me")
        for app, backing in (
            (application("api", backing=("db",)), database("api")),
            (application("web", backing=("db",)), replace(old, accounts={ServiceName("web"): Sealed("w")})),
        )
    )
    records.keep(changing, database("api"))
    records.end(beside, "succeeded")
    behind = records.known_good(TEST).backing["db"]
    assert (behind.version, set(behind.accounts)) == ("10.11", {"api", "web"})
    records.end(changing, "restored")
    assert records.known_good(TEST).backing["db"] == behind


def test_what_is_kept_is_told_once_and_changes_nothing_else(records: SqlRecords) -> None:
    first = succeed(records, intent(application("api", backing=("db",))))
    number = records.enqueue(intent(application("api", "2", backing=("db",))), by="me")
    before = records.known_good(TEST)
    for _ in range(2):
        records.keep(number, replace(database("api"), version="11.4"))
    (told,) = records.events(number)
    assert (told.event.kind, told.event.subject) == ("backing.kept", "db")
    assert told.event.data == {"kind": "mariadb", "version": "11.4", "before": "mariadb 10.11"}
    after = records.known_good(TEST)
    assert replace(after, backing=before.backing) == before
    assert records.known_good(TEST, at=first) == before


def test_a_record_of_before_there_were_steps_and_forms_is_taken_over(tmp_path: Path) -> None:
    records = SqlRecords(open_database(tmp_path))
    succeed(records, intent(application("api", backing=("db",))))
    succeed(records, replace(intent(application("web")), backing={}))
    before, bad = records.known_good(TEST), application("api", "2").release
    entry = Quarantined(API, bad.content, "2", "it exited", 1, NOON, bad.form)
    records.quarantine(TEST, entry)
    with open_database(tmp_path).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    again = SqlRecords(open_database(tmp_path))
    assert again.known_good(TEST) == before
    assert again.known_good(TEST, at=1) == records.known_good(TEST, at=1)
    (kept,) = again.quarantined(TEST)
    assert kept == replace(entry, form="")
    assert kept.is_of(bad)
    assert kept.is_of(replace(bad, form="another"))
