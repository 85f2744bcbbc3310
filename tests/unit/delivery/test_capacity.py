from __future__ import annotations

from dataclasses import replace

from ecluse.delivery.capacity import shortages
from ecluse.delivery.plan import make_plan
from ecluse.model.application import Application
from ecluse.model.capacity import Capacity, Holding
from ecluse.model.names import ServiceName
from tests.unit.delivery.samples import NOTHING, application, desired, known, running

GIB = 2**30
ROOM = Capacity(memory=4 * GIB, cpu=2000, disk_free=50 * GIB, addresses=100)


def large(service: str, *, memory: int, cpu: int | None = None, replicas: int = 1) -> Application:
    app = application(service, replicas=replicas)
    web = replace(app.processes["web"], memory=memory, cpu=cpu)
    return replace(app, processes={"web": web})


def told(capacity: Capacity, app: Application, before: Application | None = None) -> list[str]:
    wanted = desired(app)
    plan = make_plan(wanted, running(*([before] if before else [])), known(before) if before else NOTHING, [])
    return shortages(capacity, wanted, plan)


def test_what_fits_is_not_refused() -> None:
    assert told(ROOM, large("api", memory=GIB, replicas=4)) == []


def test_limits_that_add_up_to_more_than_the_machine_has_are_refused_with_the_figures() -> None:
    room = replace(ROOM, holdings=(Holding("", "somebody", 2 * GIB, 0),))
    assert told(room, large("api", memory=GIB, replicas=3)) == [
        "memory: the plan needs 3Gi, other containers may take 2Gi, and the machine has 4Gi"
    ]


def test_what_is_replaced_does_not_count_twice() -> None:
    room = replace(ROOM, holdings=(Holding("shop-test", "api/web", 3 * GIB, 0),))
    old = large("api", memory=3 * GIB)
    assert (
        told(room, replace(large("api", memory=3 * GIB), release=application("api", "2").release), old) == []
    )


def test_addresses_disk_and_processors_are_looked_at_too() -> None:
    room = replace(ROOM, addresses=1, disk_free=GIB // 2)
    assert told(room, large("api", memory=GIB, cpu=3500, replicas=2)) == [
        "addresses: api needs 2 new ones, and 1 are free in its network",
        "disk: 512Mi are free where Docker keeps its data, and 1Gi are needed",
        "cpu: api/web asks for 3500m cores, and the machine has 2",
    ]


def test_replicas_that_run_take_addresses_until_they_are_replaced() -> None:
    room = replace(ROOM, addresses=5, taken={ServiceName("api"): 3})
    assert told(room, large("api", memory=GIB, replicas=3)) == [
        "addresses: api needs 3 new ones, and 2 are free in its network"
    ]


def test_a_service_that_is_new_needs_a_network() -> None:
    room = replace(ROOM, networks=0)
    assert told(room, large("api", memory=GIB)) == [
        "networks: the plan needs 1 new ones, and the machine has room for 0"
    ]
    assert told(replace(room, taken={ServiceName("api"): 0}), large("api", memory=GIB)) == []


def test_a_plan_that_brings_nothing_is_never_refused() -> None:
    api = large("api", memory=9 * GIB)
    assert told(ROOM, api, api) == []
