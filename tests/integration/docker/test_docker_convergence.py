"""Cut short at any point, the next attempt finishes: nothing half made stays, nothing runs twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from docker_site import HELLO, Here, docker
from making import drain

from ecluse.engines.docker.labels import machine_id
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.workload import Run

pytestmark = pytest.mark.docker


async def cut(events: AsyncIterator[Event], kind: str) -> None:
    """Consumes events in a task that is cancelled just after the first of `kind`."""

    async def consume() -> None:
        async for event in events:
            if event.kind == kind:
                asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.ensure_future(consume())
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", ["replica.created", "replica.started", "replica.ready", "replica.draining"])
async def test_a_rollout_that_was_cut_short_converges(here: Here, kind: str) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    new = here.make.web(env={"NAME": "new"}, version="2.0", replicas=2)
    await cut(here.engine.rollout(here.target, new), kind)
    assert here.get().status == 200
    await drain(here.engine.rollout(here.target, new))
    found = await here.replicas()
    assert [(item.version, item.state) for item in found] == [("2.0", "ready")] * 2
    assert {here.get().text for _ in range(4)} == {"new"}
    assert await drain(here.engine.rollout(here.target, new)) == []


async def test_a_rollout_that_was_cut_short_can_be_taken_back(here: Here) -> None:
    old = here.make.web(env={"NAME": "old"})
    await here.deploy(old)
    before = await here.replicas()
    await cut(here.engine.rollout(here.target, here.make.web(version="2.0")), "replica.started")
    assert len(await here.replicas()) == 2
    await drain(here.engine.rollout(here.target, old))
    assert await here.replicas() == before


async def test_replicas_that_stopped_are_replaced(here: Here) -> None:
    workload = here.make.web(replicas=2)
    await here.deploy(workload)
    first, second = await here.replicas()
    docker("stop", "-t", "1", first.name)
    stopped = next(item for item in await here.replicas() if item.id == first.id)
    assert (stopped.state, stopped.exit_code) == ("exited", 0)
    await drain(here.engine.rollout(here.target, workload))
    found = await here.replicas()
    assert second.id in {item.id for item in found}
    assert first.id not in {item.id for item in found}
    assert len(found) == 2


async def test_a_gateway_that_was_removed_by_hand_comes_back_with_its_servers(here: Here) -> None:
    workload = here.make.web()
    await here.deploy(workload)
    names = docker(
        "ps", "--format", "{{.Names}}", "--filter", f"label=ecluse.product={here.target.product}"
    ).split()
    docker("rm", "-f", next(name for name in names if "gateway" in name))
    await drain(here.engine.prepare(here.target, [workload]))
    assert await drain(here.engine.rollout(here.target, workload)) == []
    assert here.get().status == 200


async def test_replicas_leave_while_their_gateway_does_not_run(here: Here) -> None:
    await here.deploy(here.make.web())
    docker("stop", "-t", "1", f"{here.target.slug}-gateway-{machine_id(here.folder / '_machine')}")
    await drain(here.engine.retire(here.target, HELLO))
    assert await here.replicas() == ()


async def test_a_run_is_found_again_by_its_key(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    run = here.make.run("sh", "-c", "echo begin; sleep 2; echo end")
    abandoned = here.engine.run(here.target, run)
    assert (await anext(abandoned)).message == "begin"
    await abandoned.aclose()  # type: ignore[attr-defined]  # an async generator: the process is gone, the container is not
    events = await drain(here.engine.run(here.target, run))
    assert [(event.kind, event.message) for event in events] == [
        ("note", "found running, or ended: its end counts"),
        ("output", "begin"),
        ("output", "end"),
    ]


async def test_a_run_that_ended_is_not_run_again_before_it_is_tidied(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    run = here.make.run("sh", "-c", "cat /proc/sys/kernel/random/uuid; exit 4")
    seen: list[str] = []

    async def listen() -> None:
        async for event in here.engine.run(here.target, run):
            seen.extend([event.message] if event.kind == "output" else [])

    for _ in range(3):
        with pytest.raises(RolloutFailed) as failure:
            await listen()
        assert failure.value.cause.kind == "task-failed"
        if len(seen) == 2:
            await here.engine.tidy(here.target, run)
    assert seen[0] == seen[1] != seen[2]
    await here.engine.tidy(here.target, run)
    await here.engine.tidy(here.target, run)
    listed = docker("ps", "--all", "--quiet", "--filter", f"label=ecluse.product={here.target.product}")
    assert len(listed.split()) == 1, "the gateway alone"


async def test_a_cancelled_run_is_stopped(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    await cut(here.engine.run(here.target, here.make.run("sh", "-c", "echo begin; exec sleep 60")), "output")
    assert (
        docker(
            "ps",
            "--all",
            "--quiet",
            "--filter",
            f"label=ecluse.product={here.target.product}",
            "--filter",
            "label=ecluse.kind=run",
        )
        == ""
    )


async def test_a_run_that_takes_too_long_is_stopped_and_says_so(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    run = here.make.run("sh", "-c", "echo working; exec sleep 60", timeout=1.5)
    assert await cause(here, run) == (
        "timeout",
        "hello/migrate did not end within 1.5 s and was stopped",
        ("working",),
    )


async def test_a_run_that_fails_keeps_its_last_lines(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    run = here.make.run("sh", "-c", "echo out; echo err >&2; exit 4")
    kind, sentence, logs = await cause(here, run)
    assert (kind, sentence, set(logs)) == (
        "task-failed",
        "hello/migrate failed: it exited with code 4",
        {"out", "err"},
    )


async def test_logs_follow_replicas_that_appear_later(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "one"}))
    # without a tail: every probe is a line too, and a busy machine probes more often before it looks
    lines = here.engine.logs(here.target, HELLO, "web", follow=True, since=None, tail=None)
    seen: set[str] = set()
    heard = asyncio.Event()

    async def listen() -> None:
        async for line in lines:
            seen.add(line.text)
            if "one starts" in seen:
                heard.set()
            if {"one ends", "two starts"} <= seen:
                return

    listening = asyncio.ensure_future(listen())
    await asyncio.wait_for(heard.wait(), 30)
    await drain(here.engine.rollout(here.target, here.make.web(env={"NAME": "two"}, replicas=1)))
    await asyncio.wait_for(listening, 30)
    assert {"one starts", "one ends", "two starts"} <= seen


async def test_the_tail_of_the_log_is_the_last_of_all_replicas(here: Here) -> None:
    await here.deploy(here.make.web(replicas=2, env={"SAY": "said"}))
    lines = [
        line async for line in here.engine.logs(here.target, HELLO, None, follow=False, since=60, tail=3)
    ]
    assert len(lines) == 3
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert any(line.error for line in lines)


async def cause(here: Here, run: Run) -> tuple[str, str, tuple[str, ...]]:
    with pytest.raises(EcluseError) as failure:
        await drain(here.engine.run(here.target, run))
    assert isinstance(failure.value, RolloutFailed)
    found = failure.value.cause
    return found.kind, found.sentence, found.logs


async def test_the_first_replica_of_a_release_comes_alone_and_the_others_side_by_side(here: Here) -> None:
    events = await here.deploy(here.make.web(replicas=4, env={"DELAY": "3"}))
    kinds = [event.kind.partition(".")[2] for event in events if event.kind.startswith("replica.")]
    first, rest = kinds[: kinds.index("ready") + 1], kinds[kinds.index("ready") + 1 :]
    assert first == ["created", "started", "probing", "ready"]
    assert rest.count("ready") == 3
    assert rest[: rest.index("ready")].count("probing") == 3
    assert [item.state for item in await here.replicas()] == ["ready"] * 4


async def test_one_that_does_not_get_ready_takes_those_beside_it_along(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "old"}))
    new = here.make.web(replicas=3, env={"NAME": "new", "DELAY": "3"}, version="2.0")
    probing: list[str] = []
    failed: list[str | None] = []

    async def listen() -> None:
        async for event in here.engine.rollout(here.target, new):
            if event.kind == "replica.failed":
                failed.append(event.replica)
            if event.kind == "replica.probing":
                probing.append(event.replica or "")
                if len(probing) == 3:
                    docker("kill", probing[1])

    with pytest.raises(RolloutFailed, match="exited|ended"):
        await listen()
    assert failed == [probing[1]]
    assert [item.version for item in await here.replicas()] == ["1.0"]
    assert here.get().text == "old"
