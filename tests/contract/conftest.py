from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from making import VAULT, Bench, Maker, drain, free_port, program_image

from ecluse.engines.docker.engine import DockerEngine
from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import Target
from ecluse.model.names import EnvironmentName, ProductName
from ecluse.ports import Engine


@pytest.fixture(scope="session")
def docker_image() -> Iterator[str]:
    with program_image() as image:
        yield image


@pytest.fixture(params=["memory", pytest.param("docker", marks=pytest.mark.docker)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    product = ProductName(f"t{uuid4().hex[:8]}")
    target, other = (
        Target(product, EnvironmentName(name), f"{name}.localhost") for name in ("test", "other")
    )
    engine: Engine
    if request.param == "memory":
        engine, image = MemoryEngine(), "sha256:none"
    else:
        image = request.getfixturevalue("docker_image")
        engine = DockerEngine(
            vault=VAULT,
            state=tmp_path / "product",
            machine=tmp_path / "_machine",
            edge_address="127.0.0.1",
            edge_http_port=free_port(),
            edge_https_port=0,
            keepsake=b"to be kept",
        )
    yield Bench(engine, target, other, Maker(image))
    for item in (target, other):
        await drain(engine.remove(item, volumes=True))
    await engine.close()
