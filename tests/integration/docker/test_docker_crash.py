"""A replica that is killed among several: the others answer, and it comes back into traffic by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.request
from collections.abc import Callable

import pytest
from docker_site import Here, Load, inspect

pytestmark = pytest.mark.docker

HOST = "hello.test.localhost"


async def test_requests_go_to_the_healthy_replicas_when_one_is_killed(here: Here) -> None:
    await here.deploy(here.make.web(env={"SLOW": "0.7", "DELAY": "2"}, replicas=2))
    victim, other = await here.replicas()
    load = Load(here.port, HOST)
    with load.running():
        for item in (victim, other):
            await until(lambda counted=load.done: load.done > counted + 50)  # type: ignore[misc]
            restarts = inspect(item.name)["RestartCount"]
            kill(item.name)
            await until(lambda name=item.name, n=restarts: inspect(name)["RestartCount"] > n)  # type: ignore[misc]
            # the gateway may not have noticed yet: what counts is that the program answers again
            await until(lambda address=item.address: answers(address))  # type: ignore[misc]
            await settled(here)
        await until(lambda counted=load.done: load.done > counted + 50)  # type: ignore[misc]
    # what was sent to the victim and may not be sent twice: one client posts, one request at a time
    assert [item for item in load.lost if not item.startswith("POST")] == []
    assert len(load.lost) <= 2


def kill(name: str) -> None:
    """As a crash does: Docker is not told."""
    os.kill(inspect(name)["State"]["Pid"], signal.SIGKILL)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:8080/health", timeout=2):
            return True
    except OSError:
        return False


async def settled(here: Here) -> None:
    async with asyncio.timeout(60):
        while [item.state for item in await here.replicas()] != ["ready", "ready"]:
            await asyncio.sleep(0.1)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)
