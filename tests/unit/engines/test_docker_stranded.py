"""Which replicas are started again after everything started at once: those that came before what they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecluse.engines.docker.stranded import never_started, stranded
from ecluse.model.names import ServiceName
from ecluse.model.observed import BackingState, Observed, Replica, ReplicaState
from ecluse.model.service import Probe
from tests.unit.delivery.samples import NOON, application

APPLICATIONS = {
    item.service: replace(
        item, processes={"web": replace(item.processes["web"], probe=Probe(path="/", deadline=20.0))}
    )
    for item in (
        application("db-user", backing=("db", "elsewhere")),
        application("caller", uses=("db-user", "never-deployed")),
        application("alone"),
    )
}


def replica(
    service: str, state: ReplicaState, began: datetime, number: int = 1, process: str = "web"
) -> Replica:
    name = f"{service}-{number}"
    return Replica(name, name, ServiceName(service), process, "box", "1", "image", state, started=began)


def database(began: datetime, *, is_ready: bool = True) -> BackingState:
    return BackingState("db", "db", "redis", "7", "spec", "ready" if is_ready else "exited", (), began)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def names(*replicas: Replica, now: datetime, backing: tuple[BackingState, ...] = ()) -> list[str]:
    observed = Observed(exists=True, replicas=replicas, backing=backing)
    return [item.name for item in stranded(observed, APPLICATIONS, now)]


def test_one_that_began_with_what_it_uses_and_is_not_well_after_its_time_is_started_again() -> None:
    user = replica("db-user", "unhealthy", NOON)
    assert names(user, backing=(database(at(1)),), now=at(30)) == ["db-user-1"]
    assert names(user, backing=(database(at(-59)),), now=at(30)) == ["db-user-1"], "it may have been booting"


def test_one_that_began_long_after_what_it_uses_has_another_reason() -> None:
    assert names(replica("db-user", "unhealthy", NOON), backing=(database(at(-61)),), now=at(30)) == []


def test_nobody_is_started_again_before_the_time_of_its_probe_is_over() -> None:
    assert names(replica("db-user", "unhealthy", NOON), backing=(database(at(1)),), now=at(19)) == []


@pytest.mark.parametrize(
    "backing", [database(at(1), is_ready=False), database(at(28))], ids=["is away", "is there for 2 s"]
)
def test_what_it_uses_must_be_there(backing: BackingState) -> None:
    assert names(replica("db-user", "unhealthy", NOON), backing=(backing,), now=at(30)) == []


def test_one_comes_after_the_other_in_the_order_of_uses() -> None:
    user, caller = (replica(name, "unhealthy", NOON) for name in ("db-user", "caller"))
    assert names(user, caller, backing=(database(at(1)),), now=at(30)) == ["db-user-1"]
    back = replica("db-user", "ready", at(30))
    assert names(back, caller, backing=(database(at(1)),), now=at(40)) == ["caller-1"]
    assert names(back, replica("caller", "ready", at(40)), backing=(database(at(1)),), now=at(60)) == []


def test_a_service_is_there_with_its_first_replica() -> None:
    caller = replica("caller", "unhealthy", NOON)
    long_there, new = replica("db-user", "ready", at(-500)), replica("db-user", "ready", at(1), 2)
    assert names(caller, long_there, new, now=at(30)) == []


def test_starting_again_ends_when_it_does_not_help() -> None:
    found, now, began = 0, at(30), NOON
    while names(replica("db-user", "unhealthy", began), backing=(database(at(1)),), now=now):
        found, began, now = found + 1, now, now + timedelta(seconds=25)
        assert found < 5
    assert found == 3


@pytest.mark.parametrize("state", ["ready", "draining", "starting", "restarting", "exited"])
def test_only_what_runs_and_is_not_well_is_started_again(state: ReplicaState) -> None:
    assert names(replica("db-user", state, NOON), backing=(database(at(1)),), now=at(30)) == []


def test_what_uses_nothing_or_is_not_known_is_left_alone() -> None:
    strangers = (
        replica("alone", "unhealthy", NOON),
        replica("stranger", "unhealthy", NOON),
        replica("db-user", "unhealthy", NOON, process="former"),
    )
    assert names(*strangers, backing=(database(at(1)),), now=at(100)) == []


def inspected(status: str = "exited", policy: str = "always", error: str = "") -> Mapping[str, Any]:
    return {
        "State": {"Status": status, "Error": error},
        "HostConfig": {"RestartPolicy": {"Name": policy}},
    }


def test_what_docker_could_not_start_is_told_from_what_somebody_stopped() -> None:
    error = "driver failed programming external connectivity"
    assert never_started(inspected(error=error))
    assert not never_started(inspected())
    assert not never_started(inspected(policy="no", error=error))
    assert not never_started(inspected(status="running", error=error))
