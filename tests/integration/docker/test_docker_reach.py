"""Who can reach whom, asked from inside the containers: by name, by any address, through the gateway."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
from docker_site import Here, docker, inspect
from making import drain

from ecluse.model.application import Target
from ecluse.model.workload import Run

pytestmark = pytest.mark.docker

_KNOCK = """
import concurrent.futures, http.client, json, socket, sys
def knock(ask):
    host, port, name = ask
    try:
        if not name:
            socket.create_connection((host, port), timeout=4).close()
            return "open"
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/", headers={"Host": name})
        answer = connection.getresponse()
        return f"{answer.status} {answer.read().decode()}"
    except socket.gaierror:
        return "no such name"
    except (TimeoutError, ConnectionError, OSError) as error:
        return "closed"
asks = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    print(json.dumps(list(pool.map(knock, asks))))
"""

Ask = tuple[str, int, str]


def knock(container: str, *asks: Ask) -> list[str]:
    """What a program in the container gets: `open`, `closed`, `no such name`, or the answer to a GET."""
    return list(json.loads(docker("exec", container, "python3", "-c", _KNOCK, json.dumps(asks))))


def addresses(container: str) -> list[str]:
    return [item["IPAddress"] for item in inspect(container)["NetworkSettings"]["Networks"].values()]


async def two_services(here: Here, target: Target | None = None) -> dict[str, str]:
    """`front` uses `back` and `sessions`; `back` uses nothing. Gives service → name of its container."""
    where = target or here.target
    front = here.make.web("front", host=None, uses=("back",), backing=("sessions",), env={"NAME": "front"})
    back = here.make.web("back", host=None, env={"NAME": "back"})
    sessions = here.make.redis("sessions", front="open")
    await drain(here.engine.prepare(where, [front, back]))
    await drain(here.engine.provide(where, sessions))
    for workload in (back, front):
        await drain(here.engine.rollout(where, workload))
    return {item.service: item.name for item in (await here.engine.observe(where)).replicas}


async def test_a_service_reaches_what_it_declares_and_nothing_else(here: Here) -> None:
    names = await two_services(here)
    strangers = await two_services(here, here.other)
    slug = here.target.slug
    machine = names["front"].removeprefix(f"{slug}-front-web-1")
    gateway, sessions = addresses(f"{slug}-gateway{machine}"), addresses(f"{slug}-sessions{machine}")
    front, back = addresses(names["front"]), addresses(names["back"])
    assert len(front) == len(back) == 1, "a replica is on the network of its service only"
    assert len(sessions) == 2, "a backing service is on its own network and on those of its clients"
    own = next(item for item in gateway if item.rsplit(".", 1)[0] == back[0].rsplit(".", 1)[0])

    assert knock(names["front"], ("back", 80, "back"), ("sessions", 6379, "")) == ["200 back", "open"]

    assert knock(names["back"], ("front", 80, ""), ("sessions", 6379, "")) == ["no such name"] * 2
    closed: list[Ask] = [
        *((address, 8080, "") for address in front),
        *((address, 6379, "") for address in sessions),
        *((address, 80, "front") for address in gateway if address != own),
        *((address, 8080, "front") for address in gateway),
        *((address, 8080, "") for service in strangers.values() for address in addresses(service)),
    ]
    assert knock(names["back"], *closed) == ["closed"] * len(closed)

    by_gateway = knock(names["back"], (own, 80, "front"), (own, 80, "FRONT:80"), (own, 80, "nobody"))
    assert [text[:3] for text in by_gateway] == ["403", "403", "404"]
    assert "back does not declare that it uses front: add it to `uses` in its service.yaml." in by_gateway[0]
    # replicas are behind the gateway, for those who use them too
    assert knock(names["front"], (back[0], 8080, "")) == ["closed"]


async def test_a_command_reaches_what_its_service_declares(here: Here) -> None:
    await two_services(here)

    async def told(run: Run) -> str:
        events = await drain(here.engine.run(here.target, run))
        return next(event.message for event in events if event.kind == "output")

    asks = json.dumps([("back", 80, "back"), ("sessions", 6379, "")])
    run = here.make.run("python3", "-c", _KNOCK, asks)
    front = replace(run, service="front", box=here.make.box("front", command=run.box.command, uses=("back",)))
    lone = replace(run, service="lone", box=here.make.box("lone", command=run.box.command))
    assert await told(front) == '["200 back", "no such name"]'
    assert await told(lone) == '["no such name", "no such name"]'


async def test_what_is_not_used_any_more_cannot_be_reached_any_more(here: Here) -> None:
    names = await two_services(here)
    gateway = inspect(names["front"])["HostConfig"]["ExtraHosts"][0].removeprefix("back:")
    front = here.make.web("front", host=None, env={"NAME": "front"})
    back = here.make.web("back", host=None, env={"NAME": "back"})
    await drain(here.engine.prepare(here.target, [front, back]))
    still = knock(names["front"], ("back", 80, "back"), ("sessions", 6379, ""))
    assert still == ["200 back", "open"], "what runs keeps what it declared, until it is replaced"

    await drain(here.engine.rollout(here.target, front))
    await drain(here.engine.prepare(here.target, [front, back]))
    (new,) = [
        item.name for item in (await here.engine.observe(here.target)).replicas if item.service == "front"
    ]
    sessions = next(
        item
        for item in docker("ps", "--format", "{{.Names}}").split()
        if here.target.slug + "-sessions" in item
    )
    assert len(addresses(sessions)) == 1
    asks = knock(new, (gateway, 80, "back"), *((address, 6379, "") for address in addresses(sessions)))
    assert asks[0].startswith("403")
    assert asks[1:] == ["closed"]


async def test_a_service_that_is_gone_leaves_no_network(here: Here) -> None:
    await two_services(here)
    back = here.make.web("back", host=None, env={"NAME": "back"})
    await drain(here.engine.retire(here.target, "front"))  # type: ignore[arg-type]
    await drain(here.engine.prepare(here.target, [back]))
    label = f"label=ecluse.product={here.target.product}"
    networks = docker("network", "ls", "--filter", label, "--format", "{{.Name}}").split()
    assert sorted(name.rpartition(".")[2] for name in networks if "." in name) == ["back"]


async def test_a_network_that_somebody_uses_stays_until_it_is_idle(here: Here) -> None:
    await drain(here.engine.prepare(here.target, [here.make.web("front", host=None)]))
    listing = ("network", "ls", "--quiet", "--filter", "label=ecluse.service=front",
               "--filter", f"label=ecluse.product={here.target.product}")  # fmt: skip
    (network,) = docker(*listing).split()
    guest = docker("run", "--detach", "--network", network, here.make.image, "sleep", "60").strip()
    try:
        await drain(here.engine.prepare(here.target, []))
        assert docker(*listing).split() == [network]
    finally:
        docker("rm", "--force", guest)
    await drain(here.engine.prepare(here.target, []))
    assert docker(*listing) == ""


async def test_nobody_carries_packets_from_one_network_to_another(here: Here) -> None:
    names = await two_services(here)
    here_are = docker("ps", "--format", "{{.Names}}").split()
    for part in ("gateway", "sessions"):
        name = next(item for item in here_are if item.startswith(f"{here.target.slug}-{part}"))
        assert docker("exec", name, "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"
    raw = "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"
    with pytest.raises(subprocess.CalledProcessError) as failure:
        docker("exec", names["back"], "python3", "-c", raw)
    assert "PermissionError" in failure.value.stderr


async def test_an_environment_of_an_earlier_version_converges_and_serves_meanwhile(here: Here) -> None:
    """There, all replicas were on the network of the environment, and no label told what they use."""
    names = await two_services(here)
    home = json.loads(docker("network", "inspect", f"ecluse-{here.target.slug}{_suffix(here, names)}"))[0]
    base = home["IPAM"]["Config"][0]["Subnet"].rsplit(".", 1)[0]
    front = inspect(names["front"])
    old = {
        key: value for key, value in front["Config"]["Labels"].items() if not key.startswith("ecluse.uses")
    }
    old |= {"ecluse.address": f"{base}.200"}
    docker("rm", "--force", names["front"])
    docker(
        "run", "--detach", "--name", names["front"], "--network", home["Name"], "--ip", f"{base}.200",
        "--restart", "always", "--add-host", f"back:{base}.2",
        *(word for key, value in old.items() for word in ("--label", f"{key}={value}")),
        front["Image"],
    )  # fmt: skip
    (found,) = [item for item in (await here.engine.observe(here.target)).replicas if item.service == "front"]
    workload = here.make.web("front", host=None, uses=("back",), env={"NAME": "front"})
    assert found.box != workload.box.digest, "a plan replaces it"

    back = here.make.web("back", host=None, env={"NAME": "back"})
    await drain(here.engine.prepare(here.target, [workload, back]))
    assert knock(names["front"], ("back", 80, "back")) == ["200 back"]
    await drain(here.engine.rollout(here.target, workload))
    await drain(here.engine.prepare(here.target, [workload, back]))
    (new,) = [item for item in (await here.engine.observe(here.target)).replicas if item.service == "front"]
    assert new.box == workload.box.digest
    assert addresses(new.name)[0].rsplit(".", 1)[0] != base
    assert knock(new.name, ("back", 80, "back")) == ["200 back"]


def _suffix(here: Here, names: dict[str, str]) -> str:
    return names["front"].removeprefix(f"{here.target.slug}-front-web-1")
