"""New releases get their share of the traffic, and are judged by their first answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from docker_site import Here, Load
from making import drain

from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.service import Introduction
from ecluse.model.workload import Workload

pytestmark = pytest.mark.docker

HOST = "hello.test.localhost"


def stepwise(workload: Workload, *steps: float, observe: float = 2.0, judge: bool = True) -> Workload:
    rollout = Introduction(steps, observe, judge)
    return replace(workload, spec=replace(workload.spec, rollout=rollout))


async def refused(here: Here, workload: Workload) -> RolloutFailed:
    with pytest.raises(RolloutFailed) as failure:
        await drain(here.engine.rollout(here.target, workload))
    return failure.value


async def test_a_release_that_fails_after_its_probe_passed_is_taken_back(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}, replicas=2))
    before = await here.replicas()
    load = Load(here.port, HOST, slow=False)
    with load.running():
        bad = here.make.web(env={"NAME": "new", "STATUS": "500", "DELAY": "1"}, version="2.0", replicas=2)
        failure = await refused(here, bad)
        counted = len(load.lost)
        await asyncio.sleep(1)
    assert failure.cause.kind == "errors-rose"
    assert failure.cause.sentence.startswith("hello/web fails more often: ")
    assert "against 0 of" in failure.cause.sentence
    assert "new starts" in failure.cause.logs
    assert 0 < counted == len(load.lost)
    assert await here.replicas() == before
    assert here.get().text == "old"


async def test_a_slow_start_spares_most_requests_a_bad_release(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    load = Load(here.port, HOST, slow=False)
    with load.running():
        bad = here.make.web(env={"NAME": "new", "STATUS": "503", "DELAY": "1"}, version="2.0")
        asked = load.done
        failure = await refused(here, stepwise(bad, 0.1, observe=20))
    assert failure.cause.kind == "errors-rose"
    assert 3 <= len(load.lost) < (load.done - asked) / 4
    assert [item.version for item in await here.replicas()] == ["1.0"]


async def test_a_share_of_the_requests_goes_to_the_new_release_first(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}, replicas=2))
    new = stepwise(here.make.web(env={"NAME": "new"}, version="2.0"), 0.1, 0.5, observe=3)
    shares: list[tuple[str, float]] = []
    said: list[Event] = []
    async for event in here.engine.rollout(here.target, new):
        said.append(event)
        if event.kind == "gateway":
            answers = [here.get().text for _ in range(60)]
            shares.append((event.message, answers.count("new") / len(answers)))
    assert [message for message, _ in shares] == [
        "10% of the requests go to the new release, for 3 s",
        "50% of the requests go to the new release, for 3 s",
        "all requests go to the new release",
    ]
    assert [share for _, share in shares] == pytest.approx([0.1, 0.5, 1.0], abs=0.05)
    assert [item.version for item in await here.replicas()] == ["2.0"]


async def test_a_release_that_is_much_slower_is_taken_back(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    load = Load(here.port, HOST, slow=False)
    with load.running():
        bad = here.make.web(env={"NAME": "new", "LAG": "0.6", "DELAY": "1"}, version="2.0")
        failure = await refused(here, stepwise(bad, 0.5, observe=15))
    assert failure.cause.kind == "slower"
    assert "against" in failure.cause.sentence
    assert load.lost == []
    assert [item.version for item in await here.replicas()] == ["1.0"]


async def test_who_asks_not_to_be_judged_is_not(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    load = Load(here.port, HOST, slow=False)
    with load.running():
        bad = here.make.web(env={"NAME": "new", "STATUS": "500", "DELAY": "1"}, version="2.0")
        await drain(here.engine.rollout(here.target, stepwise(bad, judge=False)))
    assert [item.version for item in await here.replicas()] == ["2.0"]


async def test_a_service_without_traffic_is_replaced_without_waiting(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    events = await drain(
        here.engine.rollout(here.target, here.make.web(version="2.0", env={"STATUS": "500"}))
    )
    assert events[-1].kind == "replica.stopped"
    assert [item.version for item in await here.replicas()] == ["2.0"]


async def test_a_slow_start_that_was_cut_short_goes_on_or_is_undone_without_a_loss(here: Here) -> None:
    old = here.make.web(env={"NAME": "old"}, replicas=2)
    await here.deploy(old)
    new = here.make.web(env={"NAME": "new"}, version="2.0", replicas=2)
    load = Load(here.port, HOST)
    with load.running():
        await cut_short(here, stepwise(new, 0.3, observe=60))
        assert len(await here.replicas()) == 4
        await drain(here.engine.rollout(here.target, stepwise(old, judge=False)))
        assert {item.version for item in await here.replicas()} == {"1.0"}
        await cut_short(here, stepwise(new, 0.3, observe=60))
        await drain(here.engine.rollout(here.target, new))
        assert {item.version for item in await here.replicas()} == {"2.0"}
        assert {here.get().text for _ in range(10)} == {"new"}
    assert load.lost == []


async def cut_short(here: Here, workload: Workload) -> None:
    """Ends a rollout in the middle of its first step, as when a runner is killed."""
    step = asyncio.Event()

    async def follow() -> None:
        async for event in here.engine.rollout(here.target, workload):
            if event.kind == "gateway":
                step.set()

    rollout = asyncio.create_task(follow())
    async with asyncio.timeout(60):
        await step.wait()
    rollout.cancel()
    await asyncio.gather(rollout, return_exceptions=True)


async def test_services_that_are_replaced_side_by_side_lose_nothing_to_each_other(here: Here) -> None:
    names = ("hello", "other")
    webs = [here.make.web(name, host=f"{name}.test.localhost", env={"SLOW": "0.7"}) for name in names]
    await drain(here.engine.prepare(here.target, webs))
    for web in webs:
        await drain(here.engine.rollout(here.target, web))
    loads = [Load(here.port, f"{name}.test.localhost") for name in names]
    with loads[0].running(), loads[1].running():
        for number in (2, 3):
            news = [
                here.make.web(name, host=f"{name}.test.localhost", env={"SLOW": "0.7"}, version=f"{number}.0")
                for name in names
            ]
            third = here.make.web(f"third{number}", host=f"third{number}.test.localhost")
            # the new service has the gateway read its configuration again while the others drain
            await asyncio.gather(
                *(drain(here.engine.rollout(here.target, new)) for new in news),
                drain(here.engine.prepare(here.target, [*news, third])),
            )
    assert [load.lost for load in loads] == [[], []]
