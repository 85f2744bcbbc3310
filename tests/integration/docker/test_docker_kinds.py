"""Replacements under every kind of request, through edge and gateway: nothing is lost, and websockets are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from docker_clients import Http2, Socket
from docker_site import Here, Load
from making import drain

from ecluse.model.service import Websockets

pytestmark = pytest.mark.docker

HOST = "hello.test.localhost"
DOWNLOAD = 4 * 2**20


async def test_http_2_over_tls_loses_no_request_when_replicas_are_replaced(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "v0", "SLOW": "0.7"}, replicas=2))
    client, slow = (Http2(here.https, HOST, here.authority) for _ in range(2))
    seen: set[str] = set()

    async def ask(client: Http2, path: str) -> None:
        status, body = await client.get(path)
        assert status == 200
        seen.add(body.decode())

    async with steady(lambda: ask(client, "/"), lambda: ask(slow, "/slow")) as made:
        for number in (1, 2):
            await more(made, 20)
            workload = here.make.web(
                env={"NAME": f"v{number}", "SLOW": "0.7"}, version=f"{number}.0", replicas=2
            )
            await drain(here.engine.rollout(here.target, workload))
        await more(made, 20)
    assert seen == {"v0", "v1", "v2"}


async def test_a_download_goes_on_to_its_end_when_its_replica_is_replaced(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "v0"}))
    plain, secure = aiohttp.ClientSession(), Http2(here.https, HOST, here.authority)

    async def download() -> None:
        async with plain.get(f"http://127.0.0.1:{here.port}/download", headers={"Host": HOST}) as answer:
            assert len(await answer.read()) == DOWNLOAD

    async def download_securely() -> None:
        status, body = await secure.get("/download")
        assert (status, len(body)) == (200, DOWNLOAD)

    async with plain, steady(download, download_securely) as made:
        for number in (1, 2):
            await more(made, 2)
            await drain(here.engine.rollout(here.target, here.make.web(version=f"{number}.0")))
        await more(made, 2)


async def test_websockets_are_told_to_close_and_find_the_new_replica(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "v0"}))
    load = Load(here.port, HOST)
    socket = Socket(f"http://127.0.0.1:{here.port}", HOST)
    stop = asyncio.Event()
    talking = asyncio.create_task(socket.talk(stop))
    with load.running():
        await until(lambda: socket.echoed > 5)
        new = here.make.web(env={"NAME": "v1"}, version="1.0")
        events = await drain(here.engine.rollout(here.target, new))
        before = socket.echoed
        await until(lambda: socket.echoed > before + 5)
    stop.set()
    await talking
    # 1001: going away (RFC 6455, 7.4.1), as the program said it when it was told to end
    assert socket.codes == [1001]
    assert events[-1].kind == "replica.stopped"
    assert load.lost == []
    assert len(await here.replicas()) == 1


async def test_a_websocket_that_stays_is_closed_after_its_grace(here: Here) -> None:
    old = here.make.web(env={"NAME": "v0", "MUTE": "yes"})
    await here.deploy(old)
    socket = Socket(f"http://127.0.0.1:{here.port}", HOST)
    stop = asyncio.Event()
    talking = asyncio.create_task(socket.talk(stop))
    await until(lambda: socket.echoed > 5)
    new = here.make.web(env={"NAME": "v1"}, version="1.0")
    new = replace(new, spec=replace(new.spec, websockets=Websockets(grace=2.0)))
    rollout = asyncio.create_task(drain(here.engine.rollout(here.target, new)))
    await until(lambda: here.get().text == "v1")
    before = socket.echoed
    await until(lambda: socket.echoed > before + 5)
    assert socket.codes == []
    await rollout
    await until(lambda: len(socket.codes) == 1)
    stop.set()
    await talking
    # 1006: closed without a word, by the connection
    assert socket.codes == [1006]


@asynccontextmanager
async def steady(*asks: Callable[[], object]) -> AsyncIterator[list[int]]:
    """Asks again and again, each in a row of its own; what one of them raises fails the test."""
    made, stop = [0] * len(asks), asyncio.Event()

    async def work(number: int, ask: Callable[[], object]) -> None:
        while not stop.is_set():
            await ask()  # type: ignore[misc]
            made[number] += 1

    workers = [asyncio.create_task(work(number, ask)) for number, ask in enumerate(asks)]
    try:
        yield made
    finally:
        stop.set()
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
    broken = [item for item in outcomes if isinstance(item, BaseException)]
    assert broken == []


async def more(made: list[int], count: int) -> None:
    """Until each kind of request was answered that many times again."""
    wanted = [number + count for number in made]
    await until(lambda: all(now >= then for now, then in zip(made, wanted, strict=True)))


async def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)
