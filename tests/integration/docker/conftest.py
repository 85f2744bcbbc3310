from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "contract"))

from docker_site import Here
from making import VAULT, Maker, drain, free_port, program_image

from ecluse.engines.docker.engine import DockerEngine
from ecluse.model.application import Target
from ecluse.model.names import EnvironmentName, ProductName


@pytest.fixture(scope="session")
def docker_image() -> Iterator[str]:
    with program_image() as image:
        yield image


@pytest.fixture
async def here(docker_image: str, tmp_path: Path) -> AsyncIterator[Here]:
    product, port, https = ProductName(f"t{uuid4().hex[:8]}"), free_port(), free_port()
    target, other = (
        Target(product, EnvironmentName(name), f"{name}.localhost") for name in ("test", "other")
    )
    engine = DockerEngine(
        vault=VAULT,
        state=tmp_path / "product",
        machine=tmp_path / "_machine",
        edge_address="127.0.0.1",
        edge_http_port=port,
        edge_https_port=https,
    )
    yield Here(engine, target, other, Maker(docker_image), port, tmp_path, https)
    for item in (target, other):
        await drain(engine.remove(item, volumes=True))
    await engine.close()
    assert leftovers(str(product)) == ""


def leftovers(product: str) -> str:
    from docker_site import docker

    label = f"label=ecluse.product={product}"
    listed = [
        docker("ps", "--all", "--quiet", "--filter", label),
        docker("network", "ls", "--quiet", "--filter", label),
        docker("volume", "ls", "--quiet", "--filter", label),
    ]
    return "".join(listed).strip()
