"""What goes wrong with a replica is told by its first terminal cause, with evidence and without secrets."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from docker_site import Here, docker
from making import VAULT, drain

from ecluse.engines.docker.engine import DockerEngine
from ecluse.errors import EngineError
from ecluse.model.application import File, Target
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.names import EnvironmentName, ProductName
from ecluse.model.service import Probe
from ecluse.model.workload import Workload

pytestmark = pytest.mark.docker
BRIEF = Probe(path="/health", interval=0.1, timeout=0.5, deadline=2.0)


async def cause_of(here: Here, workload: Workload) -> Cause:
    await drain(here.engine.prepare(here.target, [workload]))
    with pytest.raises(RolloutFailed) as failure:
        await drain(here.engine.rollout(here.target, workload))
    assert await here.replicas() == ()
    return failure.value.cause


async def test_an_exit_is_told_at_once_with_code_and_last_lines(here: Here) -> None:
    begun = time.monotonic()
    cause = await cause_of(here, here.make.web(env={"EXIT": "3", "SAY": "no such table"}))
    # Docker collects the two outputs apart: their lines may come in either order
    assert replace(cause, logs=tuple(sorted(cause.logs))) == Cause(
        "exited",
        "hello/web",
        "hello/web exited with code 3 before it was ready",
        ("exited with code 3",),
        ("no such table", "program starts"),
    )
    assert time.monotonic() - begun < 30


async def test_a_worker_that_ends_is_told_to_become_a_task(here: Here) -> None:
    cause = await cause_of(here, here.make.worker(command=("true",)))
    assert (cause.kind, cause.sentence) == ("exited", "hello/worker exited with code 0 before it was ready")
    assert "make it a task" in (cause.hint or "")


async def test_a_signal_has_its_name(here: Here) -> None:
    cause = await cause_of(here, here.make.worker(command=("sh", "-c", "kill -9 $$")))
    assert cause.sentence == "hello/worker ended by SIGKILL (exit code 137) before it was ready"


async def test_want_of_memory_is_told_with_the_limit(here: Here) -> None:
    cause = await cause_of(here, here.make.web(env={"EAT": "100"}, memory=32 << 20))
    assert cause.kind == "out-of-memory"
    assert cause.sentence == "hello/web was killed: it needed more memory than its limit of 32Mi"


async def test_another_port_is_found_long_before_the_deadline(here: Here) -> None:
    begun = time.monotonic()
    workload = here.make.web(env={"PORT": "9000"}, probe=Probe(path="/health", deadline=60.0))
    cause = await cause_of(here, workload)
    assert cause.kind == "wrong-port"
    assert cause.sentence == "hello/web should listen on port 8080, but listens on 9000"
    assert cause.evidence == ("port 8080: connection refused", "listens on 0.0.0.0:9000")
    assert time.monotonic() - begun < 15


async def test_listening_for_itself_only_is_told(here: Here) -> None:
    cause = await cause_of(here, here.make.web(env={"LOCAL": "1"}))
    assert (
        cause.sentence == "hello/web listens on port 8080 of 127.0.0.1 only, where nobody else can reach it"
    )


async def test_a_bad_answer_to_the_probe_is_kept(here: Here) -> None:
    cause = await cause_of(here, here.make.web(env={"HEALTH": "database is away"}, probe=BRIEF))
    assert cause.kind == "probe-refused"
    assert cause.evidence == (
        "GET /health on port 8080: status 500",
        "it said: database is away",
        "deadline: 2 s",
    )


async def test_silence_is_told_after_the_deadline(here: Here) -> None:
    slow = replace(BRIEF, path="/slow")
    assert (await cause_of(here, here.make.web(probe=slow))).kind == "probe-silent"
    late = await cause_of(here, here.make.web(env={"DELAY": "30"}, probe=BRIEF))
    assert late.sentence == "hello/web runs but nothing listened on port 8080 within 2 s"


async def test_a_probe_by_command_tells_its_exit_code(here: Here) -> None:
    probe = Probe(command=("sh", "-c", "echo not yet; exit 7"), interval=0.1, deadline=1.0)
    cause = await cause_of(here, here.make.web(probe=probe))
    assert cause.evidence == ("the command sh: exit code 7", "it said: not yet", "deadline: 1 s")


async def test_a_missing_image_is_told(here: Here) -> None:
    missing = "sha256:" + "0" * 64
    workload = here.make.web()
    release = replace(workload.box.release, image_id=missing)
    cause = await cause_of(here, replace(workload, box=replace(workload.box, release=release)))
    assert cause.kind == "image-missing"
    assert missing in cause.sentence


async def test_a_command_that_is_not_there_is_told(here: Here) -> None:
    cause = await cause_of(here, here.make.worker(command=("no-such-program",)))
    assert cause.kind == "exited"
    assert "not in the image" in cause.sentence or "127" in cause.sentence


async def test_secrets_never_show(here: Here) -> None:
    secret, url = "correct-horse-battery", "mysql://root:staple%2Fpony@db/x"
    env = {
        "SAY": VAULT.seal(f"token {secret}"),
        "TOKEN": VAULT.seal(secret),
        "URL": VAULT.seal(url),
        "EXIT": "1",
    }
    workload = here.make.worker(
        env=env, command=("sh", "-c", 'echo "$SAY $TOKEN $URL staple%2Fpony"; cat /etc/secret; exit 1')
    )
    file = File("/etc/secret", VAULT.seal(f"password = {secret}-in-file\n"), 0o400)
    workload = replace(workload, box=replace(workload.box, files=(file,)))
    cause = await cause_of(here, workload)
    told = repr(cause)
    assert "•••" in told
    for part in (secret, "staple", f"{secret}-in-file"):
        assert part not in told


async def test_secrets_are_in_no_label_and_no_argument(here: Here) -> None:
    workload = here.make.web(env={"TOKEN": VAULT.seal("correct-horse-battery")})
    file = File("/run/app/token", VAULT.seal("correct-horse-battery"), 0o400, "www-data")
    await here.deploy(replace(workload, box=replace(workload.box, files=(file,))))
    await drain(here.engine.provide(here.target, here.make.redis()))
    found = docker(
        "ps", "--all", "--quiet", "--filter", f"label=ecluse.product={here.target.product}"
    ).split()
    for container in found:
        shown = docker(
            "inspect", "--format", "{{json .Config.Labels}}{{json .Config.Cmd}}{{.Args}}", container
        )
        assert "correct-horse-battery" not in shown
        assert "the root of it" not in docker("inspect", container)
    (replica,) = await here.replicas()
    assert docker("exec", replica.name, "stat", "-c", "%a %U", "/run/app/token").split() == [
        "400",
        "www-data",
    ]


async def test_a_failed_replacement_leaves_the_old_replicas_in_traffic(here: Here) -> None:
    await here.deploy(here.make.web(replicas=2, env={"NAME": "good"}))
    before = await here.replicas()
    bad = here.make.web(replicas=2, env={"NAME": "bad", "HEALTH": "no"}, probe=BRIEF, version="2.0")
    with pytest.raises(RolloutFailed):
        await drain(here.engine.rollout(here.target, bad))
    assert await here.replicas() == before
    assert {here.get().text for _ in range(6)} == {"good"}


async def test_an_unknown_owner_of_a_file_is_told_and_leaves_nothing(here: Here) -> None:
    workload = here.make.web()
    file = File("/x/y", "text", 0o440, "nobody-of-that-name")
    await drain(here.engine.prepare(here.target, [workload]))
    with pytest.raises(EngineError, match="the image has no user nobody-of-that-name"):
        await drain(
            here.engine.rollout(here.target, replace(workload, box=replace(workload.box, files=(file,))))
        )
    assert await here.replicas() == ()


async def test_an_engine_out_of_reach_is_told_with_its_address(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/none.sock"
    engine = DockerEngine(
        vault=VAULT,
        state=tmp_path,
        machine=tmp_path / "_machine",
        edge_address="127.0.0.1",
        edge_http_port=1,
        edge_https_port=0,
        url=url,
    )
    target = Target(ProductName("nothing"), EnvironmentName("test"), "localhost")
    with pytest.raises(EngineError, match=f"cannot reach the Docker engine at {url}"):
        await engine.observe(target)
    await engine.close()
