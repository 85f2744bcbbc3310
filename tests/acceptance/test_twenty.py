"""Twenty people deploy to one environment at once: none is lost, none is mixed up, and who waits is told for whom."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.installed import ECLUSE, Command, docker, git, remove_images

SERVICES = ("api", "mail", "pay", "web")
PEOPLE = 20

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def crowd(tmp_path: Path, edge_port: int) -> Iterator[Command]:
    product = f"t{uuid4().hex[:7]}"
    root = tmp_path / "root"
    command = Command(root, tmp_path / "state", edge_port)
    for name in SERVICES:
        folder = root / "services" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text("FROM debian:12-slim\nUSER 33\n")
        (folder / "service.yaml").write_text(service(name))
    (root / "ecluse.yaml").write_text(
        f"product: {product}\nenvironments:\n  test: {{engine: docker, domain: twenty.localhost}}\n"
    )
    wish(root, "0")
    # the copies that people work in share its history
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "the product")
    command.ok("build", "--quiet", "--version", "1")
    command.ok("deploy", "test", "--yes")
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(product)


def service(name: str) -> str:
    return json.dumps(
        {
            "service": name,
            "processes": {
                "main": {
                    "command": ["sh", "-c", "sleep 900"],
                    "probe": {"command": ["true"], "interval": "200ms"},
                    "stop_grace": "1s",
                }
            },
            "config": {"PERSON": {"required": True}},
        }
    )


def wish(root: Path, person: str) -> None:
    layer = root / "config" / "common.yaml"
    layer.parent.mkdir(exist_ok=True)
    layer.write_text(f'app: {{PERSON: "{person}"}}\n')


def test_of_twenty_deployments_at_once_none_is_lost_and_none_is_mixed(crowd: Command, tmp_path: Path) -> None:
    people = []
    for person in range(1, PEOPLE + 1):
        mine = tmp_path / f"person{person}"
        shutil.copytree(crowd.root, mine)
        wish(mine, str(person))
        asked = SERVICES[person % len(SERVICES)]
        started = subprocess.Popen(
            [str(ECLUSE), "-C", str(mine), "deploy", "test", asked, "--yes", "--json"],
            env=crowd.environment({"ECLUSE_USER": f"person{person}"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        people.append(started)
    answers = [person.communicate(timeout=900) for person in people]
    assert [person.returncode for person in people] == [0] * PEOPLE, [err for _, err in answers]

    ended: list[dict[str, Any]] = [json.loads(out) for out, _ in answers]
    assert [item["requested_by"] for item in ended] == [f"person{person}" for person in range(1, PEOPLE + 1)]
    assert sorted(item["number"] for item in ended) == list(range(2, PEOPLE + 2))
    assert {item["state"] for item in ended} == {"succeeded"}
    ended.sort(key=lambda item: int(item["number"]))
    for one, other in combinations(ended, 2):
        if service_of(one) == service_of(other):
            assert one["ended_at"] <= other["started_at"], "the same service, one after the other, in order"
    assert any(
        service_of(one) != service_of(other) and other["started_at"] < one["ended_at"]
        for one, other in combinations(ended, 2)
    ), "different services, side by side"
    waited = [err for _, err in answers if "waits for deployment" in err or "waits behind deployment" in err]
    assert waited
    assert all("(deploy), asked by person" in err for err in waited)

    last = {service_of(item): item for item in ended}
    (status,) = crowd.ok("status", "test", "--json").json
    for found in status["services"]:
        mine = last[found["service"]]
        assert found["deployment"] == mine["number"]
        (replica,) = found["replicas"]
        assert replica["state"] == "ready"
        person = str(mine["requested_by"]).removeprefix("person")
        assert f"PERSON={person}" in environment_of(replica["name"])
    assert status["pending"] == []


def service_of(item: dict[str, Any]) -> str:
    (step,) = item["steps"]
    return str(step["service"])


def environment_of(container: str) -> list[str]:
    found: list[str] = json.loads(docker("inspect", "--format", "{{json .Config.Env}}", container))
    return found
