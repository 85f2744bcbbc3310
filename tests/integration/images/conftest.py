from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from ecluse.errors import EngineError
from ecluse.images.client import Builder, find_builder
from ecluse.model.names import ProductName

Docker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def builder() -> Builder:
    try:
        found = find_builder(os.environ)
    except EngineError as error:
        pytest.skip(f"docker with BuildKit: {error.message}")
    if _docker(found, "version").returncode:
        pytest.skip("a Docker engine that answers")
    if _docker(found, "image", "inspect", "debian:12-slim").returncode:
        pytest.skip("the image debian:12-slim")
    return found


@pytest.fixture(scope="session")
def docker(builder: Builder) -> Docker:
    """Runs a docker command to its end."""
    return lambda *arguments: _docker(builder, *arguments)


@pytest.fixture
def product(docker: Docker) -> Iterator[ProductName]:
    """A name of its own, whose images are removed in the end."""
    name = f"t{uuid4().hex[:10]}"
    yield ProductName(name)
    tags = docker("image", "ls", "--quiet", f"{name}/*").stdout.split()
    if tags:
        docker("image", "rm", "--force", *set(tags))


def _docker(builder: Builder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([builder.command, *arguments], capture_output=True, text=True, timeout=120)
