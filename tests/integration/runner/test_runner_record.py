"""The runner and its record on a real file: a lease that is lost, a newer version, a file that is not whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import ecluse
from ecluse import __version__
from ecluse.errors import RecordDamaged
from ecluse.model.lease import Holder
from ecluse.model.names import ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.server.launch import ensure_runner, find_runner, stop_runner
from ecluse.server.names import FACTS
from ecluse.settings import Settings, read_settings
from ecluse.store.clock import SystemClock
from ecluse.store.database import check_whole, open_database
from ecluse.store.leases import SqlLeases
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import TARGET, application

PRODUCT = "shop"
NEWER = "99.0.0"


@dataclass
class Site:
    """A product's state, with an environment to care for: its runner stays."""

    settings: Settings
    root: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.settings.product_state(PRODUCT)

    @property
    def leases(self) -> SqlLeases:
        return SqlLeases(open_database(self.state), SystemClock())

    def runner(self, package: Path | None = None) -> subprocess.Popen[bytes]:
        """A runner of this version, or of the one in `package`."""
        path = {"PYTHONPATH": str(package)} if package else {}
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ecluse.server.runner", PRODUCT],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=os.environ | {"ECLUSE_STATE": str(self.settings.state_root)} | path,
            )
        self.started.append(process)
        return process

    @property
    def facts(self) -> dict[str, object] | None:
        found = find_runner(self.state)
        return dict(found) if found else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(read_settings({"ECLUSE_STATE": str(tmp_path / "state")}), tmp_path)
    records = SqlRecords(open_database(found.state))
    api = application("api")
    plan = Plan("test", "deploy", "abc", (Step(ServiceName("api"), None, "1"),), ())
    number = records.enqueue(Intent(TARGET, plan, {api.service: api}, {}), by="anna")
    records.end(number, "succeeded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECLUSE_STATE", str(found.settings.state_root))
        yield found
    while (facts := find_runner(found.state)) is not None:
        os.kill(facts["pid"], signal.SIGKILL)
        time.sleep(0.1)
    for process in found.started:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit, f"{what}: not within 60 s"
        time.sleep(0.05)


@contextmanager
def version(folder: Path, number: str) -> Iterator[Path]:
    """Écluse, as another version of it."""
    package = Path(ecluse.__file__).parent
    shutil.copytree(package, folder / "ecluse", ignore=shutil.ignore_patterns("__pycache__"))
    init = folder / "ecluse" / "__init__.py"
    init.write_text(init.read_text().replace(__version__, number))
    yield folder


def test_a_runner_that_lost_its_lease_begins_anew_as_the_same_process(site: Site) -> None:
    process = site.runner()
    until(lambda: site.leases.current() is not None, "the lease")
    mine = site.leases.current()
    assert mine is not None
    taken = site.leases.take(Holder(mine.holder.machine, 1, __version__))
    until(lambda: (lease := site.leases.current()) is not None and lease.token > taken.token, "another lease")
    assert site.facts == {"pid": process.pid, "version": __version__}
    assert process.poll() is None


def test_a_newer_version_takes_the_place_of_a_runner_and_an_older_one_gives_way(
    site: Site, tmp_path: Path
) -> None:
    old = site.runner()
    until(lambda: site.facts is not None, "the runner")
    with version(tmp_path / "newer", NEWER) as package:
        new = site.runner(package)
        assert old.wait(timeout=60) == 0
        until(lambda: site.facts == {"pid": new.pid, "version": NEWER}, "the newer runner")
        ensure_runner(PRODUCT, site.settings)
        assert site.facts == {"pid": new.pid, "version": NEWER}
        assert site.runner().wait(timeout=60) == 6
    assert new.poll() is None


def test_runners_of_two_versions_that_start_at_once_leave_the_newer_one(site: Site, tmp_path: Path) -> None:
    with version(tmp_path / "newer", NEWER) as package:
        started = [site.runner(package if number % 2 else None) for number in range(8)]
        until(lambda: (site.facts or {}).get("version") == NEWER, "the newer runner")
        until(lambda: sum(item.poll() is None for item in started) == 1, "one runner alone")
        assert {item.wait() for item in started if item.poll() is not None} <= {0, 6}
        lease = site.leases.current()
        assert lease is not None
        assert lease.holder.version == NEWER


def test_many_who_need_a_runner_at_once_get_one(site: Site) -> None:
    code = (
        "import os; from ecluse.server.launch import ensure_runner, find_runner;"
        "from ecluse.settings import read_settings; settings = read_settings(os.environ);"
        f"ensure_runner('{PRODUCT}', settings);"
        f"print(find_runner(settings.product_state('{PRODUCT}'))['pid'])"
    )
    askers = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    told = {asker.communicate(timeout=60)[0].strip() for asker in askers}
    assert told == {str((site.facts or {}).get("pid"))}
    assert stop_runner(site.state)
    assert not stop_runner(site.state)


def test_nobody_is_killed_when_the_runner_does_not_tell_who_it_is(site: Site) -> None:
    site.runner()
    until(lambda: site.facts is not None, "the runner")
    facts = (site.state / FACTS).read_text()
    (site.state / FACTS).write_text("{")
    with pytest.raises(Exception, match="does not tell its process"):
        stop_runner(site.state)
    (site.state / FACTS).write_text(facts)
    assert json.loads(facts)["pid"] == (site.facts or {}).get("pid")


@pytest.mark.parametrize("keep", [0.5, 0.05])
def test_a_truncated_record_is_said_with_what_to_do(site: Site, keep: float) -> None:
    path = site.state / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for name in ("state.sqlite-wal", "state.sqlite-shm"):
        (site.state / name).unlink(missing_ok=True)
    os.truncate(path, int(path.stat().st_size * keep))
    with pytest.raises(RecordDamaged):
        check_whole(site.state)
    process = site.runner()
    assert process.wait(timeout=60) == 14
    said = (site.root / "log").read_text()
    assert f"the record {path} is damaged" in said
    assert "`ecluse adopt ENV`" in said
    assert "Traceback" not in said


def test_what_was_committed_is_there_after_the_last_page_of_the_log_was_torn(site: Site) -> None:
    records = SqlRecords(open_database(site.state))
    numbers = [
        records.enqueue(Intent(TARGET, Plan("test", "run", "", (), ()), {}, {}), by="anna") for _ in range(3)
    ]
    wal = site.state / "state.sqlite-wal"
    copy = site.root / "copy" / PRODUCT
    copy.mkdir(parents=True)
    shutil.copy(site.state / "state.sqlite", copy)
    (copy / wal.name).write_bytes(wal.read_bytes()[:-2000])
    check_whole(copy)
    found = [item.number for item in SqlRecords(open_database(copy)).unfinished()]
    assert found == numbers[: len(found)]
    assert len(found) < len(numbers)
