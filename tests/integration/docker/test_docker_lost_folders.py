"""The folder that the products of a machine share is gone, alone or with everything: nobody notices, and it converges."""

from __future__ import annotations

import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from docker_site import Here, inspect
from making import drain

from ecluse.engines.docker.keepsakes import AUTHORITY
from ecluse.model.application import Target
from ecluse.model.names import EnvironmentName

pytestmark = pytest.mark.docker

THERE = "hello.other.localhost"


def answers(here: Here) -> tuple[int, int]:
    return here.get().status, here.get(host=THERE).status


def subnets(here: Here) -> list[IPv4Network]:
    from docker_site import docker

    listed = docker("network", "ls", "--quiet", "--filter", f"label=ecluse.product={here.target.product}")
    return [IPv4Network(inspect(item)["IPAM"]["Config"][0]["Subnet"]) for item in listed.split()]


async def both(here: Here) -> None:
    await here.deploy(here.make.web())
    await here.deploy(here.make.web(host=THERE), here.other)
    assert answers(here) == (200, 200)
    assert (await here.engine.observe(here.target)).lost == ()


async def test_without_the_machines_folder_the_edge_is_made_again_with_all_gateways_and_trusted_as_before(
    here: Here, tmp_path: Path
) -> None:
    await both(here)
    trusted = tmp_path / "trusted.crt"
    shutil.copy(here.authority, trusted)
    before = {item.id for item in await here.replicas()}
    shutil.rmtree(tmp_path / "_machine")
    assert answers(here) == (200, 200)
    assert (await here.engine.observe(here.target)).lost == ("edge",)
    assert (await here.engine.observe(here.other)).lost == ("edge",)
    assert not (tmp_path / "_machine").exists()

    events = await drain(here.engine.prepare(here.target, [here.make.web()]))
    told = "\n".join(event.message for event in events)
    assert "the files of the edge were gone: made it again" in told
    assert "the local authority is back" in told
    assert answers(here) == (200, 200)
    assert here.secure(authority=trusted).serial()
    assert here.secure(THERE, authority=trusted).serial()
    assert {item.id for item in await here.replicas()} == before
    assert (await here.engine.observe(here.other)).lost == ()

    third = Target(here.target.product, EnvironmentName("third"), "third.localhost")
    await here.deploy(here.make.web(host="hello.third.localhost"), third)
    blocks = subnets(here)
    assert len(blocks) == 6
    assert not [(one, two) for one in blocks for two in blocks if one != two and one.overlaps(two)]
    assert here.get(host="hello.third.localhost").status == 200
    await drain(here.engine.remove(third, volumes=True))


async def test_without_any_folder_the_edge_knows_the_hosts_of_environments_that_nobody_took_over_yet(
    here: Here, tmp_path: Path
) -> None:
    await both(here)
    for name in ("_machine", "product"):
        shutil.rmtree(tmp_path / name)
    assert (await here.engine.observe(here.target)).lost == ("edge", "gateway")
    await drain(here.engine.prepare(here.target, [here.make.web()]))
    assert answers(here) == (200, 200)
    assert (await here.engine.observe(here.target)).lost == ()
    assert (await here.engine.observe(here.other)).lost == ("gateway",)
    await drain(here.engine.prepare(here.other, [here.make.web(host=THERE)]))
    assert answers(here) == (200, 200)


async def test_without_a_copy_another_authority_is_made_and_said_so(here: Here, tmp_path: Path) -> None:
    from docker_site import docker

    await here.deploy(here.make.web())
    (gateway,) = docker(
        "ps", "--quiet", "--filter", f"label=ecluse.product={here.target.product}",
        "--filter", "label=ecluse.kind=gateway",
    ).split()  # fmt: skip
    docker("exec", "--user", "0", gateway, "rm", AUTHORITY)
    shutil.rmtree(tmp_path / "_machine")
    events = await drain(here.engine.prepare(here.target, [here.make.web()]))
    told = "\n".join(event.message for event in events)
    assert "whoever trusted an earlier one must trust this one" in told
    assert "shows another certificate" in told
    assert here.get(secure=True).status == 200


async def test_an_environment_goes_whole_when_the_machines_folder_went_before(
    here: Here, tmp_path: Path
) -> None:
    from docker_site import docker

    await both(here)
    shutil.rmtree(tmp_path / "_machine")
    await drain(here.engine.remove(here.target, volumes=True))
    assert here.get(host=THERE).status == 200
    await drain(here.engine.remove(here.other, volumes=True))
    assert not [
        line for line in docker("ps", "--format", "{{.Ports}}").splitlines() if f":{here.port}->" in line
    ]
