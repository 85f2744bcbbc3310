"""Gateways and edges of another day: who sees them, and how they are replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker_site import Here, docker
from making import drain

from ecluse.doctor import probe
from ecluse.engines.docker import house

pytestmark = pytest.mark.docker


@pytest.fixture
def another_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """From now on the image is another one: as after an upgrade of Écluse."""
    before = house.tag("haproxy")
    (tmp_path / "house" / "haproxy").mkdir(parents=True)
    (tmp_path / "house" / "haproxy" / "Dockerfile").write_text(
        f"FROM {before}\n# {tmp_path}\nLABEL another=day\n"
    )

    def turn() -> str:
        monkeypatch.setattr(house, "_FOLDER", tmp_path / "house")
        house.tag.cache_clear()
        return house.tag("haproxy")

    yield turn
    docker("image", "rm", house.tag("haproxy"))
    monkeypatch.undo()
    house.tag.cache_clear()


async def test_an_older_image_is_seen_and_replaced(here: Here, another_day: Callable[[], str]) -> None:
    before = house.tag("haproxy")
    web = here.make.web()
    await here.deploy(web)
    assert (await here.engine.observe(here.target)).outdated == ()
    now = another_day()
    assert (await here.engine.observe(here.target)).outdated == ("edge", "gateway")
    assert before in probe.proxies("docker").values()
    events = await drain(here.engine.prepare(here.target, [web]))
    assert events[-1].message.startswith("replacing the gateway by one of today's image")
    observed = await here.engine.observe(here.target)
    assert observed.outdated == ()
    names = [line for line in docker("ps", "--format", "{{.Names}} {{.Image}}").splitlines() if now in line]
    assert len(names) == 2
    deadline = time.monotonic() + 15
    while here.get().status != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    await drain(here.engine.remove(here.target, volumes=True))


async def test_an_edge_that_is_still_starting_is_waited_for(here: Here) -> None:
    web = here.make.web()
    await here.deploy(web)
    (edge,) = docker("ps", "--quiet", "--filter", f"publish={here.port}").split()
    processes = [int(line.split()[1]) for line in docker("top", edge).splitlines()[1:]]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(8, lambda: [os.kill(item, signal.SIGCONT) for item in processes])
    await drain(here.engine.prepare(here.target, [web]))
    assert here.get().status == 200
