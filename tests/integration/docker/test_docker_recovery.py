"""What Docker does not bring back by itself: programs that came too early, and what it could not start."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest
from docker_site import Here, docker, inspect
from making import DOCKER, drain

from ecluse.errors import EngineError
from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.observed import ReplicaState
from ecluse.model.service import Probe
from ecluse.model.workload import Workload
from tests.unit.delivery.samples import application

pytestmark = pytest.mark.docker
PROBE = Probe(path="/health", interval=0.2, deadline=3.0)


def known(*workloads: Workload) -> Mapping[ServiceName, Application]:
    return {
        item.service: replace(
            application(str(item.service), uses=tuple(map(str, item.box.uses))),
            processes={item.process: item.spec},
        )
        for item in workloads
    }


async def test_a_program_that_began_before_what_it_uses_is_started_again_once_that_is_there(
    here: Here,
) -> None:
    hello = here.make.web(probe=PROBE)
    needy = here.make.web(
        "needy", probe=PROBE, host=None, uses=("hello",), env={"NEEDS": "http://hello/", "NAME": "needy"}
    )
    await drain(here.engine.prepare(here.target, [hello, needy]))
    for workload in (hello, needy):
        await drain(here.engine.rollout(here.target, workload))
    applications = known(hello, needy)
    assert await drain(here.engine.recover(here.target, applications)) == [], "all is well"
    first, second = await name_of(here, "hello"), await name_of(here, "needy")
    docker("stop", "--time", "1", first)
    docker("restart", "--time", "1", second)
    await until(lambda: state(here, "needy", "unhealthy"))
    began = inspect(second)["State"]["StartedAt"]
    for _ in range(3):
        assert await drain(here.engine.recover(here.target, applications)) == [], "what it uses is away"
        await asyncio.sleep(2)
    docker("start", first)
    await until(lambda: state(here, "hello", "ready"))
    async with asyncio.timeout(60):
        while not (events := await drain(here.engine.recover(here.target, applications))):
            await asyncio.sleep(0.5)
    assert [event.subject for event in events] == ["needy/web"]
    assert inspect(second)["State"]["StartedAt"] > began
    await until(lambda: state(here, "needy", "ready"))


async def test_what_docker_could_not_start_is_started_when_it_can_be(here: Here) -> None:
    hello = here.make.web()
    await here.deploy(hello)
    edge = docker(
        "ps", "--format", "{{.Names}}", "--filter", "label=ecluse.kind=edge",
        "--filter", f"publish={here.port}",
    ).strip()  # fmt: skip
    docker("stop", "--time", "1", edge)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", here.port))
        other.listen()
        assert await drain(here.engine.recover(here.target, known(hello))) == [], "somebody stopped it"
        # as at a boot at which another program was there first
        assert not docker_starts(edge)
        with pytest.raises(EngineError, match=edge):
            await drain(here.engine.recover(here.target, known(hello)))
    (event,) = await drain(here.engine.recover(here.target, known(hello)))
    assert edge in event.message
    await until(lambda: answers(here))


def docker_starts(container: str) -> bool:
    return subprocess.run([DOCKER, "start", container], capture_output=True).returncode == 0


async def name_of(here: Here, service: str) -> str:
    (replica,) = (await here.engine.observe(here.target)).of(ServiceName(service))
    return replica.name


async def state(here: Here, service: str, wanted: ReplicaState) -> bool:
    observed = await here.engine.observe(here.target)
    return [item.state for item in observed.of(ServiceName(service))] == [wanted]


async def answers(here: Here) -> bool:
    try:
        return (await asyncio.to_thread(here.get)).status == 200
    except OSError:
        return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.1)
