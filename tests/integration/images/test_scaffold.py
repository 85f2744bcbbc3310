"""What `ecluse init` writes is built, tested and run on the real engine."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ecluse.images.build import build
from ecluse.images.client import Builder
from ecluse.model.names import ProductName, ServiceName
from ecluse.model.service import ImageBuild, ImageTests
from ecluse.model.source import Source
from ecluse.scaffold.init import init_product, init_service
from ecluse.scaffold.template import KINDS

pytestmark = pytest.mark.docker

Docker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def container(docker: Docker, product: ProductName) -> Iterator[str]:
    name = f"ecluse-{product}"
    yield name
    docker("rm", "--force", name)


@pytest.mark.parametrize("like", KINDS)
async def test_a_new_service_is_built_tested_and_served(
    like: str, tmp_path: Path, product: ProductName, builder: Builder, docker: Docker, container: str
) -> None:
    image = await _build(tmp_path, product, like, builder)
    environment = ["--env", "GREETING=Bonjour", "--env", "APP_VERSION=1.4"]
    started = docker("run", "--detach", "--name", container, "--network", "none", *environment, image)
    assert started.returncode == 0, started.stderr
    status, body = _get(docker, container, "/health")
    assert (status, json.loads(body)["version"]) == ("200", "1.4")
    status, body = _get(docker, container, "/")
    assert status == "200"
    assert "Bonjour" in body
    assert docker("exec", container, "id", "-u").stdout == "33\n"
    began = time.monotonic()
    docker("stop", "--time", "20", container)
    assert time.monotonic() - began < 5
    (visit,) = [json.loads(line) for line in docker("logs", container).stdout.splitlines() if line[0] == "{"]
    assert (visit["service"], visit["method"], visit["path"], visit["status"]) == ("second", "GET", "/", 200)


async def test_a_front_with_the_directory_login_on_lets_probes_in_and_nobody_else(
    tmp_path: Path, product: ProductName, builder: Builder, docker: Docker, container: str
) -> None:
    image = await _build(tmp_path, product, "front", builder)
    login = tmp_path / "ldap.conf"
    login.write_text('AuthName "second"\nAuthLDAPURL "ldap://directory.example.org/dc=example?uid"\n')
    mount = ["--volume", f"{login}:/config/ldap.conf:ro"]
    environment = ["--env", "LDAP_ENABLE=true", "--env", "APP_VERSION=1.4"]
    docker("run", "--detach", "--name", container, "--network", "none", *mount, *environment, image)
    assert _get(docker, container, "/health")[0] == "200"
    assert _get(docker, container, "/")[0] == "401"


async def _build(folder: Path, product: ProductName, like: str, builder: Builder) -> str:
    init_product(folder, "atelier")
    init_service(folder, "second", like)
    source = _source(folder / "services" / "second", product)
    progress = [one async for one in build([source], builder=builder)]
    assert progress[-1].image_id
    return progress[-1].image_id


def _source(folder: Path, product: ProductName) -> Source:
    text = (folder / "service.yaml").read_text()
    spec = yaml.safe_load(text)["image"]
    tests = ImageTests(spec["tests"]["target"], tuple(tuple(words) for words in spec["tests"]["commands"]))
    image = ImageBuild(target=spec["target"], tests=tests)
    return Source(product, ServiceName("second"), str(folder), image, text, {}, None, dirty=True)


def _get(docker: Docker, container: str, path: str) -> tuple[str, str]:
    """Status and body, asked from inside the container, without any tool in it."""
    request = f"GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n"
    script = f"exec 3<>/dev/tcp/127.0.0.1/8080 && printf '{request}' >&3 && cat <&3"
    for _ in range(50):
        done = docker("exec", container, "bash", "-c", script)
        if done.returncode == 0:
            head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
            return head.split()[1], body
        time.sleep(0.2)
    raise AssertionError(docker("logs", container).stderr)
