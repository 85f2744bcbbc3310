"""Requests through edge and gateway: names, headers, pages, and replacements that lose nothing."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from docker_site import HELLO, Here, Load, docker, inspect
from making import VAULT, drain

from ecluse.engines.docker.engine import DockerEngine
from ecluse.errors import EngineError
from ecluse.model.cause import RolloutFailed

pytestmark = pytest.mark.docker


async def test_replacement_under_load_loses_no_request(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "v0", "SLOW": "0.7"}))
    load = Load(here.port, "hello.test.localhost")
    with load.running():
        for number in (1, 2, 3):
            await asyncio.sleep(0.7)
            workload = here.make.web(env={"NAME": f"v{number}", "SLOW": "0.7"}, version=f"{number}.0")
            await drain(here.engine.rollout(here.target, workload))
        await asyncio.sleep(0.5)
    assert load.lost == []
    assert load.names == {"v0", "v1", "v2", "v3"}
    assert load.done > 500


async def test_a_reload_for_another_service_loses_no_request(here: Here) -> None:
    web = here.make.web(env={"SLOW": "0.7"})
    await here.deploy(web)
    load = Load(here.port, "hello.test.localhost")
    with load.running():
        for number in range(3):
            others = [
                here.make.web(f"other{index}", host=f"other{index}.test.localhost")
                for index in range(number + 1)
            ]
            await drain(here.engine.prepare(here.target, [web, *others]))
            replaced = here.make.web(env={"SLOW": "0.7"}, version=f"{number}.1")
            await drain(here.engine.rollout(here.target, replaced))
            web = replaced
    assert load.lost == []
    assert load.done > 300


async def test_the_proxy_sets_what_clients_may_not(here: Here) -> None:
    await here.deploy(here.make.web())
    lies = {
        "X_Forwarded_For": "6.6.6.6",
        "X_Forwarded_Proto": "https",
        "Forwarded": "for=6.6.6.6",
        "X_Real_IP": "6.6.6.6",
    }
    headers = {key.lower(): value for key, value in here.get("/headers", **lies).json.items()}
    assert headers["x-forwarded-host"] == "hello.test.localhost"
    assert headers["x-forwarded-proto"] == "http"
    assert "6.6.6.6" not in str(headers)
    assert len(headers["x-request-id"]) == 36
    told = here.get("/headers", X_Request_Id="mine").json
    assert {key.lower(): value for key, value in told.items()}["x-request-id"] == "mine"


async def test_lies_are_dropped_over_https_and_from_services_too(here: Here) -> None:
    caller = here.make.web(uses=("hello",))
    await here.deploy(caller)
    lies = {
        "X-Forwarded-For": "6.6.6.6, 10.0.0.1",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6;proto=gopher;host=evil.example",
        "X-Request-Id": "6.6.6.6 evil thing",
        "X_Request_Id": "evil",
    }
    connection = here.secure()
    connection.request("GET", "/headers", headers={"Host": "hello.test.localhost"} | lies)
    secure = connection.getresponse().read().decode()
    connection.close()
    fetch = (
        "import urllib.request as r, json\n"
        f"print(r.urlopen(r.Request('http://hello/headers', headers={lies!r})).read().decode())"
    )
    (replica,) = await here.replicas()
    inside = docker("exec", replica.name, "python3", "-c", fetch)
    for text in (secure, inside):
        assert "6.6.6.6" not in text
        assert "gopher" not in text
        assert "evil" not in text


async def test_an_odd_request_id_is_replaced_and_one_that_comes_twice(here: Here) -> None:
    await here.deploy(here.make.web())
    for odd in ("a b", "x" * 129, "<script>", "a,b"):
        told = {key.lower(): value for key, value in here.get("/headers", X_Request_Id=odd).json.items()}
        assert len(told["x-request-id"]) == 36
    assert len({here.get("/headers").json["x-request-id"] for _ in range(3)}) == 3


async def test_pages_say_in_one_sentence_what_is_wrong(here: Here) -> None:
    web = here.make.web()
    await drain(here.engine.prepare(here.target, [web]))
    nobody = here.get(host="nobody.<b>test.localhost")
    assert (
        nobody.status,
        "No environment of this machine answers to nobody.btest.localhost." in nobody.text,
    ) == (404, True)
    empty = here.get()
    assert (empty.status, "<p>hello/web has no healthy replica." in empty.text) == (503, True)


async def test_a_service_calls_another_by_its_name(here: Here) -> None:
    callee = here.make.web("callee", host=None, env={"NAME": "callee-here"})
    caller = here.make.web(uses=("callee",))
    await drain(here.engine.prepare(here.target, [callee, caller]))
    await drain(here.engine.rollout(here.target, callee))
    await drain(here.engine.rollout(here.target, caller))
    fetch = "import urllib.request as r; print(r.urlopen('http://callee/').read().decode())"
    (replica,) = await here.replicas()
    assert docker("exec", replica.name, "python3", "-c", fetch).strip() == "callee-here"
    stranger = (
        "import urllib.request as r, urllib.error as e\n"
        "try: r.urlopen(r.Request('http://callee/', headers={'Host': 'stranger'}))\n"
        "except e.HTTPError as x: print(x.code, x.read().decode())"
    )
    said = docker("exec", replica.name, "python3", "-c", stranger)
    assert said.startswith("404")
    assert "No service of this environment is called stranger." in said


async def test_a_public_name_moves_without_a_reload(here: Here) -> None:
    web = here.make.web()
    await here.deploy(web)
    gateway = f"{here.target.slug}-gateway"
    name = next(line for line in docker("ps", "--format", "{{.Names}}").split() if line.startswith(gateway))
    workers = docker("top", name, "-o", "pid").split()
    await drain(here.engine.prepare(here.target, [replace(web, host="renamed.test.localhost")]))
    assert here.get(host="renamed.test.localhost").status == 200
    assert here.get(host="hello.test.localhost").status == 404
    assert docker("top", name, "-o", "pid").split() == workers


async def test_the_gateway_finds_its_servers_after_a_restart(here: Here) -> None:
    await here.deploy(here.make.web(replicas=2))
    for name in docker(
        "ps", "--format", "{{.Names}}", "--filter", f"label=ecluse.product={here.target.product}"
    ).split():
        if "gateway" in name:
            docker("restart", name)
    await until(lambda: here.get().status == 200)
    assert await drain(here.engine.rollout(here.target, here.make.web(replicas=2))) == []
    await drain(here.engine.rollout(here.target, here.make.web(replicas=1, version="2.0")))
    assert here.get().status == 200


async def test_addresses_hold_when_replicas_start_in_another_order(here: Here) -> None:
    await here.deploy(here.make.web(replicas=2))
    before = {item.name: item.address for item in await here.replicas()}
    names = sorted(before)
    docker("stop", "-t", "1", *names)
    docker("start", names[1])
    docker("start", names[0])
    found = {
        name: next(iter(inspect(name)["NetworkSettings"]["Networks"].values()))["IPAddress"] for name in names
    }
    assert found == before
    await until(lambda: here.get().status == 200)


async def test_two_environments_with_the_same_services_stay_apart(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "test"}, uses=("hello",)))
    there = here.make.web(env={"NAME": "other"}, uses=("hello",), host="hello.other.localhost")
    await here.deploy(there, here.other)
    assert here.get(host="hello.test.localhost").text == "test"
    assert here.get(host="hello.other.localhost").text == "other"
    fetch = "import urllib.request as r; print(r.urlopen('http://hello/').read().decode())"
    for target, name in ((here.target, "test"), (here.other, "other")):
        (replica,) = await here.replicas(target)
        assert docker("exec", replica.name, "python3", "-c", fetch).strip() == name
    await drain(here.engine.remove(here.target, volumes=True))
    assert here.get(host="hello.test.localhost").status == 404
    assert here.get(host="hello.other.localhost").text == "other"


async def test_a_host_of_another_environment_is_refused(here: Here) -> None:
    await here.deploy(here.make.web())
    with pytest.raises(EngineError, match=r"hello\.test\.localhost belongs to .*-test.* already"):
        await drain(here.engine.prepare(here.other, [here.make.web()]))


async def test_the_edge_goes_with_the_last_environment(here: Here) -> None:
    await here.deploy(here.make.web())
    await drain(here.engine.remove(here.target, volumes=True))
    with pytest.raises(ConnectionRefusedError):
        here.get()


async def test_a_taken_port_names_its_owner_and_the_setting(here: Here, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        engine = DockerEngine(
            vault=VAULT,
            state=tmp_path / "p",
            machine=here.folder / "_machine",
            edge_address="127.0.0.1",
            edge_http_port=port,
            edge_https_port=0,
        )
        with pytest.raises(
            EngineError, match=rf"127\.0\.0\.1:{port}: .*\(process \d+\) does already"
        ) as failure:
            await drain(engine.prepare(here.target, [here.make.web()]))
        assert "ECLUSE_EDGE_HTTP_PORT" in (failure.value.hint or "")
        await drain(engine.remove(here.target, volumes=True))
        await engine.close()


async def test_an_unhealthy_replica_shows_as_such_and_comes_back(here: Here) -> None:
    await here.deploy(here.make.web())
    (replica,) = await here.replicas()
    docker("pause", replica.name)
    await until_async(here, "unhealthy")
    docker("unpause", replica.name)
    await until_async(here, "ready")
    await until(lambda: here.get().status == 200)
    assert [item.service for item in await here.replicas()] == [HELLO]


async def until_async(here: Here, state: str, *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while [item.state for item in await here.replicas()] != [state]:
        assert time.monotonic() < deadline, f"not {state} within {seconds:g} s"
        await asyncio.sleep(0.2)


async def until(holds: object, *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(holds):  # type: ignore[arg-type]
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.2)


async def test_another_probe_path_does_not_take_the_old_replicas_down(here: Here) -> None:
    old = here.make.web(env={"NAME": "old", "SLOW": "0.5"})
    await here.deploy(old)
    probe = replace(old.spec.probe, path="/only-new")
    new = here.make.web(
        env={"NAME": "new", "SLOW": "0.5", "WELL": "/only-new", "DELAY": "3"}, probe=probe, version="2.0"
    )
    load = Load(here.port, "hello.test.localhost")
    with load.running():
        await here.deploy(new)
        await asyncio.sleep(2)
    assert load.lost == []
    assert load.names == {"old", "new"}


async def test_a_probe_that_running_replicas_do_not_pass_is_refused(here: Here) -> None:
    workload = here.make.web()
    await here.deploy(workload)
    before = await here.replicas()
    probe = replace(workload.spec.probe, path="/only-new", deadline=1.0)
    with pytest.raises(RolloutFailed):
        await here.deploy(replace(workload, spec=replace(workload.spec, probe=probe)))
    await asyncio.sleep(3)
    assert await here.replicas() == before
    assert here.get().status == 200
