"""What the runner removes before the disk is full, on a real engine and a real record."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import ReleaseId
from ecluse.model.names import ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.ports import Engine
from ecluse.secrets.memory import MemoryVault
from ecluse.server.upkeep import Upkeep
from ecluse.settings import read_settings
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_database, sqlite_url
from ecluse.store.leases import SqlLeases
from ecluse.store.records import SqlRecords
from ecluse.store.schedule import SqlSchedule
from ecluse.wiring.state import ProductState
from tests.unit.delivery.samples import TARGET, application

PRODUCT = f"upkeep{uuid4().hex[:8]}"


@dataclass(frozen=True)
class MemoryState(ProductState):
    running: MemoryEngine = field(default_factory=MemoryEngine)

    def engine(self) -> Engine:
        return self.running


@pytest.fixture
def releases(docker_engine: None) -> Iterator[dict[str, str]]:
    """Five tiny releases of one service, the first one the oldest: version → image id."""
    found = {}
    for number in range(1, 6):
        marks = {
            "ecluse.product": PRODUCT, "ecluse.service": "api", "ecluse.version": str(number),
            "ecluse.created": f"2026-01-0{number}T00:00:00+00:00",
        }  # fmt: skip
        words = [word for key, value in marks.items() for word in ("--label", f"{key}={value}")]
        tag = f"{PRODUCT}/api:{number}"
        file = b"FROM scratch\nENV NUMBER=" + str(number).encode()
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", tag, *words, "-"],
            input=file,
            check=True,
            capture_output=True,
        )
        shown = subprocess.run(
            ["docker", "image", "inspect", "--format", "{{.Id}}", tag],
            check=True,
            capture_output=True,
            text=True,
        )
        found[str(number)] = shown.stdout.strip()
    yield found
    for tag in there():
        subprocess.run(["docker", "image", "rm", f"{PRODUCT}/api:{tag}"], capture_output=True)


def there() -> list[str]:
    words = ["docker", "image", "ls", "--format", "{{.Tag}}", f"{PRODUCT}/api"]
    return sorted(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())


async def test_old_releases_go_and_what_was_ever_needed_stays(
    tmp_path: Path, releases: dict[str, str]
) -> None:
    database, clock = open_database(tmp_path), SystemClock()
    state = MemoryState(
        product=PRODUCT,
        settings=read_settings({"ECLUSE_STATE": str(tmp_path), "ECLUSE_KEEP_RELEASES": "2"}),
        records=SqlRecords(database, clock),
        schedule=SqlSchedule(database, clock),
        leases=SqlLeases(database, clock),
        vault=MemoryVault(),
        clock=clock,
        database_url=sqlite_url(tmp_path),
    )
    api = application("api")
    good = replace(api, release=ReleaseId(ServiceName("api"), "1", releases["1"], "c"))
    plan = Plan(TARGET.environment, "deploy", "abc", (Step(ServiceName("api"), None, "1"),), ())
    number = state.records.enqueue(Intent(TARGET, plan, {api.service: good}, {}), by="anna")
    upkeep = Upkeep(state)
    upkeep.look()
    await upkeep.settled()
    assert there() == ["1", "2", "3", "4", "5"], "nothing goes while a deployment is under way"

    state.records.begin(number)
    state.records.end(number, "succeeded")
    upkeep.look()
    await upkeep.settled()
    assert there() == ["1", "4", "5"], "the newest two, and what is known good"


def test_runs_of_long_ago_are_forgotten_and_deployments_are_not(tmp_path: Path) -> None:
    records = SqlRecords(open_database(tmp_path), SystemClock())
    api = application("api")
    deploy = Plan(TARGET.environment, "deploy", "abc", (Step(ServiceName("api"), None, "1"),), ())
    kept = records.enqueue(Intent(TARGET, deploy, {api.service: api}, {}), by="anna")
    records.begin(kept)
    records.end(kept, "succeeded")
    run = replace(deploy, kind="run")
    for _ in range(5):
        number = records.enqueue(Intent(TARGET, run, {}, {}), by="schedule")
        records.begin(number)
        records.end(number, "succeeded")
    assert records.thin(2) == 3
    assert records.thin(2) == 0
    left = [item.number for item in records.deployments(TARGET.environment)]
    assert left == [number, number - 1, kept]
    assert records.events(number)
