"""Finds a `docker` command that can build. Reads ECLUSE_DOCKER, ECLUSE_BUILD_NETWORK and PATH."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecluse.errors import EngineError, UsageError
from ecluse.model.source import BuildClient

INSTALL_HINT = (
    "install the BuildKit component of docker (Debian and Ubuntu: apt-get install docker-buildx-plugin, "
    "or docker-buildx), or set ECLUSE_DOCKER to a docker command that has it"
)
_NETWORKS = ("default", "host")


@dataclass(frozen=True, slots=True)
class Builder:
    """What builds: the path of a docker command with BuildKit, and the network of build steps."""

    command: str
    network: str = "default"


def find_builder(environ: Mapping[str, str]) -> Builder:
    """The first docker command whose BuildKit works; ECLUSE_DOCKER alone when it is set.

    Raises EngineError that says what each candidate lacks.
    """
    network = environ.get("ECLUSE_BUILD_NETWORK") or "default"
    if network not in _NETWORKS:
        raise UsageError(f"ECLUSE_BUILD_NETWORK: {network!r} is unknown", hint="default or host")
    clients = survey(environ)
    able = next((client for client in clients if client.problem is None), None)
    if able is None:
        raise _cannot_build(clients)
    return Builder(able.path, network)


def find_docker(environ: Mapping[str, str]) -> str:
    """Any docker command, enough to ask the engine. Starts nothing."""
    for path in _candidates(environ):
        return path
    raise _cannot_build(())


def survey(environ: Mapping[str, str]) -> tuple[BuildClient, ...]:
    """Every docker command on PATH, in order, and why each cannot build. Asked once per process."""
    return tuple(_examine(path) for path in _candidates(environ))


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    if chosen := environ.get("ECLUSE_DOCKER"):
        yield chosen
        return
    seen: set[Path] = set()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".") / "docker"
        real = path.resolve()
        if real not in seen and path.is_file() and os.access(path, os.X_OK):
            seen.add(real)
            yield str(path)


@lru_cache
def _examine(path: str) -> BuildClient:
    answer = _ask(path, "--version")
    version = client_version(answer or "")
    if version is None:
        return BuildClient(path, None, "does not answer as docker does")
    if version[0] < 18:
        return BuildClient(path, _dotted(version), "older than 18.09, the first version with BuildKit")
    if version[0] < 23 or _ask(path, "buildx", "version"):
        return BuildClient(path, _dotted(version), None)
    return BuildClient(path, _dotted(version), "has no buildx component, so its BuildKit does not work")


def client_version(answer: str) -> tuple[int, ...] | None:
    """The version in `Docker version 20.10.24+dfsg1, build 297e128`; None for anything else."""
    found = re.match(r"Docker version (\d+)\.(\d+)(?:\.(\d+))?", answer)
    return tuple(int(part) for part in found.groups(default="0")) if found else None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _ask(path: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _cannot_build(clients: Sequence[BuildClient]) -> EngineError:
    if not clients:
        return EngineError(
            "no docker command on PATH", hint="install docker (Debian: apt-get install docker.io)"
        )
    found = "\n".join(f"  {client.path} ({client.version}): {client.problem}" for client in clients)
    return EngineError(f"no docker command here can build:\n{found}", hint=INSTALL_HINT)
