from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ecluse.delivery.single import command_intent
from ecluse.model.cron import Mark, Omission
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Change, Intent, Plan
from ecluse.model.service import Cron, Task
from ecluse.store import codec
from ecluse.store.database import open_database, open_memory
from ecluse.store.records import SqlRecords
from ecluse.store.schedule import KEPT, SqlSchedule
from tests.unit.delivery.samples import NOON, TARGET, application

TEST, API = EnvironmentName("test"), ServiceName("api")
SERVICE = application(
    "api", crons=(Cron("mail", "0 6 * * *", ("mail",)),), tasks=(Task("migrate", ("migrate",)),)
)
MARK = Mark(TEST, API, "mail", "0 6 * * * UTC", NOON)
OMISSION = Omission(
    TEST, API, "mail", "missed", NOON, NOON, "no runner was at work", NOON - timedelta(days=1)
)


@pytest.fixture(params=["file", "memory"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "state") if request.param == "file" else open_memory()
    yield engine
    engine.dispose()


def command(name: str, *, key: str = "k") -> Intent:
    return command_intent(TARGET, SERVICE, name, key=key)


def test_one_look_is_kept_whole(engine: Engine) -> None:
    schedule, records = SqlSchedule(engine), SqlRecords(engine)
    (number,) = schedule.keep([MARK], [OMISSION], [command("mail")])
    assert list(schedule.marks()) == [MARK]
    assert list(schedule.omissions(TEST, limit=9)) == [OMISSION]
    (pending,) = records.unfinished()
    assert (pending.number, pending.requested_by, pending.commands) == (number, "schedule", ("api/mail",))


def test_marks_replace_those_before_and_omissions_stay(engine: Engine) -> None:
    schedule = SqlSchedule(engine)
    schedule.keep([MARK, replace(MARK, cron="report")], [OMISSION])
    later = replace(MARK, looked_at=NOON + timedelta(minutes=1))
    schedule.keep([later])
    assert list(schedule.marks()) == [later]
    assert list(schedule.omissions(TEST, command="api/mail", limit=9)) == [OMISSION]
    assert list(schedule.omissions(TEST, command="api/report", limit=9)) == []
    assert list(schedule.omissions(EnvironmentName("prod"), limit=9)) == []


def test_a_look_that_fails_leaves_nothing(engine: Engine) -> None:
    schedule = SqlSchedule(engine)
    with pytest.raises(Exception, match="UNIQUE"):
        schedule.keep([MARK, MARK], [OMISSION], [command("mail")])
    assert (list(schedule.marks()), list(schedule.omissions(TEST, limit=9))) == ([], [])
    assert SqlRecords(engine).unfinished() == []


def test_a_cron_that_is_skipped_for_ever_fills_no_disk() -> None:
    schedule = SqlSchedule(open_memory())
    many = [replace(OMISSION, due=NOON + timedelta(minutes=number)) for number in range(KEPT + 25)]
    schedule.keep([], [replace(OMISSION, cron="report"), *many])
    kept = schedule.omissions(TEST, command="api/mail", limit=1000)
    assert len(kept) == KEPT
    assert kept[0] == many[-1]
    assert len(schedule.omissions(TEST, command="api/report", limit=9)) == 1


def test_a_command_is_enqueued_alone_until_it_has_ended(engine: Engine) -> None:
    records = SqlRecords(engine)
    first = records.enqueue_alone(command("mail"), by="anna")
    assert first is not None
    assert records.enqueue_alone(command("mail"), by="ben") is None
    assert records.enqueue_alone(command("migrate"), by="ben") is not None
    records.end(first, "succeeded")
    assert records.enqueue_alone(command("mail"), by="ben") is not None


def test_a_release_task_of_an_unfinished_deployment_is_in_the_way_too(engine: Engine) -> None:
    records = SqlRecords(engine)
    change = Change("run", "api/migrate", API, "migrate", key="k")
    records.enqueue(Intent(TARGET, Plan("test", "deploy", "", (), (change,)), {API: SERVICE}, {}), by="anna")
    assert records.enqueue_alone(command("migrate"), by="ben") is None
    elsewhere = replace(TARGET, environment=EnvironmentName("prod"))
    assert records.enqueue_alone(replace(command("migrate"), target=elsewhere), by="ben") is not None


def test_of_many_who_ask_at_once_one_gets_it(tmp_path: Path) -> None:
    records = SqlRecords(open_database(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(records.enqueue_alone, command("mail"), by=f"user {n}") for n in range(24)]
    assert len([future for future in asked if future.result() is not None]) == 1


def test_runs_are_found_by_their_command_newest_first(engine: Engine) -> None:
    records = SqlRecords(engine)
    numbers = [records.enqueue(command(name), by="me") for name in ("mail", "migrate", "mail")]
    assert [item.number for item in records.runs(TEST, "api/mail", limit=9)] == [numbers[2], numbers[0]]
    assert [item.number for item in records.runs(TEST, "api/mail", limit=1)] == [numbers[2]]
    assert records.deployments(TEST, runs=False) == []
    assert len(records.deployments(TEST)) == 3


def test_a_record_of_the_first_form_is_brought_to_this_one(tmp_path: Path) -> None:
    """The tables as version 0001 made them, with a run in them."""
    from alembic import command as alembic
    from alembic.config import Config
    from sqlalchemy import create_engine

    import ecluse.store.database as database

    engine = create_engine(database.sqlite_url(tmp_path))
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(database.sqlite_path(tmp_path)) as raw:
        raw.execute(
            "INSERT INTO deployments (environment, kind, state, requested_by, requested_at, intent)"
            " VALUES ('test', 'run', 'running', 'anna', 0, ?)",
            (codec.dump(Intent, command("mail")),),
        )
    records = SqlRecords(open_database(tmp_path))
    assert [item.requested_by for item in records.runs(TEST, "api/mail", limit=9)] == ["anna"]
    assert records.unfinished()[0].commands == ("api/mail",)
    assert records.enqueue_alone(command("mail"), by="ben") is None
    assert SqlSchedule(open_database(tmp_path)).marks() == []
