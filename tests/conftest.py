"""What the tests share: a real Docker engine, or a skip that says so."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# speed is measured by `make bench`: a busy machine fails no test
settings.register_profile("ecluse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ecluse")


def docker_problem() -> str | None:
    path = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
    try:
        done = subprocess.run([path, "version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker: {error}"
    return None if done.returncode == 0 else f"no Docker engine: {done.stderr.strip()}"


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skips where there is no Docker engine to test on."""
    if problem := docker_problem():
        pytest.skip(problem)


@pytest.fixture(scope="session")
def edge_port() -> int:
    """A port of 127.0.0.1 that is free now, for an edge."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
