"""What every engine must do, whatever runs the containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from making import Bench, drain

from ecluse.engines.memory import MemoryEngine
from ecluse.errors import EcluseError, NotFound
from ecluse.model.application import File
from ecluse.model.cause import RolloutFailed
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.observed import Replica
from ecluse.model.workload import Workload

HELLO = ServiceName("hello")


async def prepared(bench: Bench, *workloads: Workload) -> None:
    await drain(bench.engine.prepare(bench.target, workloads))


async def replicas(bench: Bench, process: str | None = "web") -> tuple[Replica, ...]:
    return (await bench.engine.observe(bench.target)).of(HELLO, process)


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


async def test_an_environment_that_was_never_prepared_does_not_exist(bench: Bench) -> None:
    observed = await bench.engine.observe(bench.target)
    assert not observed.exists
    assert observed.replicas == observed.backing == observed.volumes == ()


async def test_preparing_makes_names_and_hosts_known(bench: Bench) -> None:
    await prepared(bench, bench.make.web())
    observed = await bench.engine.observe(bench.target)
    assert observed.exists
    assert observed.hosts == {"hello.test.localhost": "hello"}
    assert (observed.urls or {})["hello.test.localhost"].startswith("http://hello.test.localhost")


async def test_preparing_again_forgets_the_hosts_that_are_no_longer_wanted(bench: Bench) -> None:
    await prepared(bench, bench.make.web())
    await prepared(bench, bench.make.web(host="other.test.localhost"))
    assert (await bench.engine.observe(bench.target)).hosts == {"other.test.localhost": "hello"}


async def test_a_rollout_in_an_environment_that_was_not_prepared_says_so(bench: Bench) -> None:
    with pytest.raises(EcluseError, match="does not exist"):
        await drain(bench.engine.rollout(bench.target, bench.make.web()))


async def test_a_rollout_makes_exactly_the_replicas_that_are_wanted(bench: Bench) -> None:
    workload = bench.make.web(replicas=2)
    await prepared(bench, workload)
    events = await drain(bench.engine.rollout(bench.target, workload))
    found = await replicas(bench)
    assert [(item.state, item.box, item.version) for item in found] == [
        ("ready", workload.box.digest, "1.0")
    ] * 2
    assert kinds(events).count("replica.ready") == 2
    assert {event.subject for event in events} == {"hello/web"}


async def test_the_same_rollout_twice_changes_nothing(bench: Bench) -> None:
    workload = bench.make.web()
    await prepared(bench, workload)
    await drain(bench.engine.rollout(bench.target, workload))
    before = await replicas(bench)
    assert await drain(bench.engine.rollout(bench.target, workload)) == []
    assert await replicas(bench) == before


async def test_another_box_replaces_every_replica(bench: Bench) -> None:
    old, new = bench.make.web(replicas=2), bench.make.web(replicas=2, version="2.0")
    await prepared(bench, old)
    await drain(bench.engine.rollout(bench.target, old))
    before = {item.id for item in await replicas(bench)}
    events = kinds(await drain(bench.engine.rollout(bench.target, new)))
    after = await replicas(bench)
    assert [item.version for item in after] == ["2.0", "2.0"]
    assert before.isdisjoint(item.id for item in after)
    assert max(at for at, kind in enumerate(events) if kind == "replica.ready") < events.index(
        "replica.stopped"
    )


async def test_more_and_fewer_replicas_leave_the_others_alone(bench: Bench) -> None:
    one = bench.make.web()
    await prepared(bench, one)
    await drain(bench.engine.rollout(bench.target, one))
    (first,) = await replicas(bench)
    await drain(bench.engine.rollout(bench.target, bench.make.web(replicas=2)))
    assert first.id in {item.id for item in await replicas(bench)}
    await drain(bench.engine.rollout(bench.target, one))
    assert len(await replicas(bench)) == 1
    await drain(bench.engine.rollout(bench.target, bench.make.web(replicas=0)))
    assert await replicas(bench) == ()


async def test_a_process_without_a_port_runs(bench: Bench) -> None:
    workload = bench.make.worker(env={"PORT": "9000"})
    await prepared(bench)
    await drain(bench.engine.rollout(bench.target, workload))
    assert [item.state for item in await replicas(bench, "worker")] == ["ready"]


async def test_a_failing_rollout_tells_the_cause_and_leaves_what_was_there(bench: Bench) -> None:
    good = bench.make.web()
    await prepared(bench, good)
    await drain(bench.engine.rollout(bench.target, good))
    before = await replicas(bench)
    with pytest.raises(RolloutFailed) as failure:
        await drain(bench.engine.rollout(bench.target, bench.failing()))
    assert (failure.value.cause.kind, failure.value.cause.subject) == ("exited", "hello/web")
    assert await replicas(bench) == before
    assert await drain(bench.engine.rollout(bench.target, good)) == []


async def test_a_run_gives_its_output_and_ends(bench: Bench) -> None:
    await prepared(bench)
    events = await drain(bench.engine.run(bench.target, bench.telling_run()))
    assert [event.message for event in events if event.kind == "output"] == ["one", "two"]
    assert {event.subject for event in events} == {"hello/migrate"}
    assert (await bench.engine.observe(bench.target)).replicas == ()


async def test_a_run_that_fails_raises_after_its_output(bench: Bench) -> None:
    await prepared(bench)
    seen: list[str] = []

    async def listen() -> None:
        async for event in bench.engine.run(bench.target, bench.failing_run()):
            seen.append(event.message)

    with pytest.raises(RolloutFailed) as failure:
        await listen()
    assert seen == ["it hurts"]
    assert failure.value.cause.subject == "hello/migrate"


async def test_a_run_that_ended_tells_again_how_until_it_is_tidied(bench: Bench) -> None:
    await prepared(bench)
    run = bench.failing_run()
    for _ in range(2):
        with pytest.raises(RolloutFailed) as failure:
            await drain(bench.engine.run(bench.target, run))
        assert failure.value.cause.subject == "hello/migrate"
    await bench.engine.tidy(bench.target, run)
    await bench.engine.tidy(bench.target, run)


async def test_a_backing_service_is_provided_once_and_keeps_its_volume_when_withdrawn(bench: Bench) -> None:
    await prepared(bench)
    redis = bench.make.redis(hello="open", payroll="sesame")
    await drain(bench.engine.provide(bench.target, redis))
    (before,) = (await bench.engine.observe(bench.target)).backing
    assert (before.name, before.kind, before.state, before.accounts) == (
        "sessions",
        "redis",
        "ready",
        ("hello", "payroll"),
    )
    await drain(bench.engine.provide(bench.target, redis))
    assert (await bench.engine.observe(bench.target)).backing == (before,)
    await drain(bench.engine.withdraw(bench.target, "sessions"))
    observed = await bench.engine.observe(bench.target)
    assert observed.backing == ()
    assert len(observed.volumes) == 1


async def test_another_account_does_not_replace_a_backing_service(bench: Bench) -> None:
    await prepared(bench)
    await drain(bench.engine.provide(bench.target, bench.make.redis(hello="open")))
    (before,) = (await bench.engine.observe(bench.target)).backing
    await drain(bench.engine.provide(bench.target, bench.make.redis(hello="open", payroll="sesame")))
    (after,) = (await bench.engine.observe(bench.target)).backing
    assert after == replace(before, accounts=("hello", "payroll"))


async def test_retiring_a_process_leaves_the_others(bench: Bench) -> None:
    web, worker = bench.make.web(), bench.make.worker()
    await prepared(bench, web)
    await drain(bench.engine.rollout(bench.target, web))
    await drain(bench.engine.rollout(bench.target, worker))
    await drain(bench.engine.retire(bench.target, HELLO, "worker"))
    assert [item.process for item in await replicas(bench, None)] == ["web"]
    await drain(bench.engine.retire(bench.target, HELLO))
    await drain(bench.engine.retire(bench.target, HELLO))
    assert await replicas(bench, None) == ()


async def test_removing_an_environment_leaves_only_its_volumes_unless_asked(bench: Bench) -> None:
    await prepared(bench, bench.make.web())
    await drain(bench.engine.provide(bench.target, bench.make.redis()))
    await drain(bench.engine.rollout(bench.target, bench.make.web()))
    await drain(bench.engine.remove(bench.target, volumes=False))
    observed = await bench.engine.observe(bench.target)
    assert (observed.exists, len(observed.volumes)) == (False, 1)
    await drain(bench.engine.remove(bench.target, volumes=True))
    assert (await bench.engine.observe(bench.target)).volumes == ()


async def test_two_environments_do_not_see_each_other(bench: Bench) -> None:
    here, there = bench.make.web(), bench.make.web(host="hello.other.localhost")
    for target, workload in ((bench.target, here), (bench.other, there)):
        await drain(bench.engine.prepare(target, [workload]))
        await drain(bench.engine.rollout(target, workload))
    before = await bench.engine.observe(bench.other)
    await drain(bench.engine.remove(bench.target, volumes=True))
    assert await bench.engine.observe(bench.other) == before


async def test_logs_come_from_every_replica(bench: Bench) -> None:
    workload = bench.make.web(replicas=2)
    bench.speak()
    await prepared(bench, workload)
    await drain(bench.engine.rollout(bench.target, workload))
    lines = [
        line
        async for line in bench.engine.logs(bench.target, HELLO, None, follow=False, since=None, tail=None)
    ]
    assert [line.text for line in lines if line.text] == ["program starts"] * 2
    assert {line.replica for line in lines} == {item.name for item in await replicas(bench)}


async def test_a_service_that_does_not_run_has_no_logs_and_no_shell(bench: Bench) -> None:
    await prepared(bench)
    with pytest.raises(NotFound):
        async for _ in bench.engine.logs(bench.target, HELLO, None, follow=False, since=None, tail=None):
            pass
    with pytest.raises(NotFound):
        await bench.engine.execute(bench.target, HELLO, None, ["true"], tty=False)


async def test_a_certificate_that_lasts_is_not_renewed(bench: Bench) -> None:
    assert await drain(bench.engine.renew(bench.target)) == []
    await drain(bench.engine.prepare(bench.target, [bench.make.web()]))
    assert await drain(bench.engine.renew(bench.target)) == []
    assert (await bench.engine.observe(bench.target)).tls == bench.target.tls


async def test_what_is_well_is_confirmed(bench: Bench) -> None:
    since, web, worker = datetime.now(UTC), bench.make.web(), bench.make.worker(command=("sleep", "60"))
    await prepared(bench, web)
    for item in (web, worker):
        await drain(bench.engine.rollout(bench.target, item))
    confirmed = await drain(bench.engine.confirm(bench.target, [web, worker], [], since=since))
    assert [event.subject for event in confirmed] == ["hello/web", "hello/worker"]


async def test_a_replica_that_ended_after_it_was_ready_is_not_confirmed(bench: Bench) -> None:
    since, worker = datetime.now(UTC), bench.make.worker(command=("sh", "-c", "sleep 3; exit 5"))
    await prepared(bench)
    await drain(bench.engine.rollout(bench.target, worker))
    if isinstance(bench.engine, MemoryEngine):
        (made,) = await replicas(bench, "worker")
        bench.engine.stop(bench.target, made.name)
    with pytest.raises(RolloutFailed) as failure:
        await drain(bench.engine.confirm(bench.target, [worker], [], since=since))
    assert failure.value.cause.kind == "exited"
    assert "soon after it was ready" in failure.value.cause.sentence


async def test_a_replica_that_was_removed_is_not_confirmed(bench: Bench) -> None:
    since, web = datetime.now(UTC), bench.make.web()
    await prepared(bench, web)
    with pytest.raises(RolloutFailed):
        await drain(bench.engine.confirm(bench.target, [web], [], since=since))


async def test_what_a_service_was_given_can_be_read_back(bench: Bench) -> None:
    path = "/srv/settings/.env"
    workload = bench.make.web(env={"GREETING": "good = morning"}, files=(File(path, "A=1\n", 0o444),))
    await prepared(bench, workload)
    assert await bench.engine.variables(bench.target, HELLO) == {}
    assert await bench.engine.file(bench.target, HELLO, path) is None
    await drain(bench.engine.rollout(bench.target, workload))
    assert (await bench.engine.variables(bench.target, HELLO))["GREETING"] == "good = morning"
    assert await bench.engine.file(bench.target, HELLO, path) == b"A=1\n"
    assert await bench.engine.file(bench.target, HELLO, "/srv/another") is None


async def test_what_runs_resembles_what_was_asked_for_and_nothing_else(bench: Bench) -> None:
    path = "/srv/settings/.env"
    workload = bench.make.web(env={"GREETING": "hi"}, files=(File(path, "A=1\n", 0o444),), memory=2**27)
    await prepared(bench, workload)
    assert not await bench.engine.resembles(bench.target, workload)
    await drain(bench.engine.rollout(bench.target, workload))
    assert await bench.engine.resembles(bench.target, workload)
    box = workload.box
    others = [
        replace(workload, box=replace(box, env={"GREETING": "ho"})),
        replace(workload, box=replace(box, env={})),
        replace(workload, box=replace(box, files=(File(path, "A=2\n", 0o444),))),
        replace(workload, box=replace(box, memory=2**28)),
        replace(workload, box=replace(box, command=("sleep", "9"))),
        replace(workload, box=replace(box, uses=(ServiceName("another"),))),
        replace(workload, spec=replace(workload.spec, replicas=2)),
    ]
    assert [await bench.engine.resembles(bench.target, other) for other in others] == [False] * len(others)


async def test_an_environment_keeps_what_the_engine_was_given_to_keep(bench: Bench) -> None:
    assert await bench.engine.keepsake(bench.target) is None
    await prepared(bench, bench.make.web())
    assert await bench.engine.keepsake(bench.target) == b"to be kept"
