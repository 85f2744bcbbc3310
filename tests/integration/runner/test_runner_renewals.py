"""The runner's daily look at certificates, on a real record and a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.engines.memory import MemoryEngine
from ecluse.errors import EngineError
from ecluse.model.application import Target
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.ports import Engine
from ecluse.secrets.memory import MemoryVault
from ecluse.server.renewals import Renewals
from ecluse.settings import read_settings
from ecluse.store.database import open_database, sqlite_url
from ecluse.store.leases import SqlLeases
from ecluse.store.records import SqlRecords
from ecluse.store.schedule import SqlSchedule
from ecluse.wiring.state import ProductState
from tests.unit.delivery.samples import TARGET, application


@dataclass
class MovedClock:
    """Implements ports.Clock."""

    time: datetime = datetime(2026, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Renewing(MemoryEngine):
    """`broken`: the certificate cannot be renewed."""

    broken = False

    async def renew(self, target: Target) -> AsyncIterator[Event]:
        self.asked.append("renew")
        if self.broken:
            raise EngineError("the certificate /etc/ssl/own.crt expired on 2026-03-01")
        yield Event("gateway", message="the gateway shows another certificate")


@dataclass(frozen=True)
class MemoryState(ProductState):
    renewing: Renewing = field(default_factory=Renewing)

    def engine(self) -> Engine:
        return self.renewing


async def look(renewals: Renewals) -> None:
    renewals.look()
    await renewals.settled()


async def test_certificates_are_looked_at_every_ten_minutes_and_a_failure_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, engine = MovedClock(), Renewing()
    database = open_database(tmp_path)
    state = MemoryState(
        product="shop",
        settings=read_settings({"ECLUSE_STATE": str(tmp_path)}),
        records=SqlRecords(database, clock),
        schedule=SqlSchedule(database, clock),
        leases=SqlLeases(database, clock),
        vault=MemoryVault(),
        clock=clock,
        database_url=sqlite_url(tmp_path),
        renewing=engine,
    )
    api = application("api")
    plan = Plan("test", "deploy", "abc", (Step(ServiceName("api"), None, "1"),), ())
    number = state.records.enqueue(Intent(TARGET, plan, {api.service: api}, {}), by="anna")
    state.records.begin(number)
    state.records.end(number, "succeeded")
    renewals = Renewals(state)
    await look(renewals)
    await look(renewals)
    assert engine.asked == ["renew"]
    engine.broken = True
    for _ in range(3):
        clock.time += timedelta(minutes=9)
        await look(renewals)
        clock.time += timedelta(minutes=1)
        await look(renewals)
    assert engine.asked == ["renew"] * 4
    assert len(caplog.records) == 1
    assert "the certificate of test could not be renewed: the certificate /etc/ssl/own.crt" in caplog.text
    engine.broken = False
    clock.time += timedelta(minutes=10)
    await look(renewals)
    engine.broken = True
    clock.time += timedelta(minutes=10)
    await look(renewals)
    assert len([item for item in caplog.records if item.levelname == "WARNING"]) == 2
