"""What must hold after a fault: the state is true, nothing is orphaned, nothing was lost, no task ran twice."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ecluse.settings import read_settings
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import propose, wish
from ecluse.wiring.status import read_status
from faults.scene import ENDS, SERVICES, Kind, Scene

QUIET = [("edge", "", "running"), ("gateway", "", "running")]


@dataclass(frozen=True, slots=True)
class Begun:
    """When something was done, on both clocks."""

    at: float
    ticks: float

    @staticmethod
    def now() -> Begun:
        return Begun(time.time(), time.monotonic())


def problems(
    scene: Scene, kind: Kind, begun: Begun, *, code: int | None, excused_until: float = 0.0
) -> list[str]:
    """Everything that is not as it should be, each a sentence. excused_until: requests sent before may be lost."""
    return list(_problems(scene, kind, begun, code, excused_until))


def _problems(
    scene: Scene, kind: Kind, begun: Begun, code: int | None, excused_until: float
) -> Iterator[str]:
    state, expected_code = ENDS[kind]
    number, found = scene.last_deployment()
    if code is not None and code != expected_code:
        yield f"the command ended with {code}, not {expected_code}: {scene.said}"
    if found != state:
        yield f"deployment {number} is {found}, not {state}"
    ends = [event for event in scene.events(number) if event.partition(".")[0] == "deployment"]
    if ends != ["deployment.started", f"deployment.{state}"]:
        yield f"its events are {ends}"
    yield from _what_runs(scene)
    if twice := [service for service in SERVICES if scene.runs_since(begun.at).count(service) > 1]:
        yield f"the tasks of {', '.join(twice)} ran more than once"
    if lost := scene.client.lost_since(max(begun.ticks, excused_until)):
        yield f"{len(lost)} requests were lost: {lost[0]}"


def _what_runs(scene: Scene) -> Iterator[str]:
    expected = sorted([*QUIET, *(("replica", name, "running") for name in SERVICES)])
    containers = scene.containers()
    if containers != expected:
        yield f"there are containers {containers}"
    scene.write(scene.version)
    product = OpenProduct(scene.ecluse.root, read_settings(os.environ | dict(scene.ecluse.variables)))
    (status,) = asyncio.run(
        read_status(product, [product.environment("test")], runner_is_there=scene.runner is not None)
    )
    for service in status.services:
        states = [replica.state for replica in service.replicas]
        if states != ["ready"]:
            yield f"the replicas of {service.service} are {states}"
    if status.pending:
        yield f"in hand still: {status.pending}"
    for host in scene.client.hosts:
        version = scene.client.version(host)
        if version != str(scene.version):
            yield f"{host} answers with version {version}, not {scene.version}"
    plan = asyncio.run(propose(product, wish(product, "test", ()), product.reading)).plan
    if not plan.is_empty:
        yield f"a plan finds something to do: {[change.id for change in plan.changes]}"
