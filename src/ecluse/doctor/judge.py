"""Turns what the machine answered into findings, each with what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ecluse.doctor.finding import Finding
from ecluse.doctor.probe import Answer, EngineFacts, Port
from ecluse.model.source import BuildClient

GIB = 1 << 30
OLDEST_PYTHON = (3, 11)
OLDEST_ENGINE = (20, 10)
SKEW_LIMIT = 5.0
# No machine of today is older than the first release of Écluse.
OLDEST_NOW = datetime.fromisoformat("2025-01-01T00:00:00+00:00")


def python(version: tuple[int, ...]) -> Finding:
    text = ".".join(str(part) for part in version[:3])
    if version[:2] >= OLDEST_PYTHON:
        return Finding("python", True, text)
    return Finding("python", False, f"{text}: Écluse needs 3.11", "sudo apt-get install python3.11")


def git(version: Answer, name: Answer, mail: Answer) -> Finding:
    if version.code:
        return Finding("git", False, "git is not installed", "sudo apt-get install git")
    if not name.output or not mail.output:
        mend = 'git config --global user.name "…" && git config --global user.email "…"'
        return Finding("git", None, "git does not know who you are, so you cannot commit", mend)
    return Finding("git", True, f"{version.output.removeprefix('git version ')}, as {name.output}")


def repository(folder: Path, inside: Answer) -> Finding:
    if "dubious ownership" in inside.error:
        mend = f"git config --global --add safe.directory {folder}"
        return Finding("repository", False, f"git does not trust the owner of {folder}", mend)
    if inside.code:
        message = "the product is not in a git repository: protected environments take clean commits only"
        return Finding("repository", None, message, f"git -C {folder} init")
    return Finding("repository", True, "the product is in a git repository")


def client(clients: Sequence[BuildClient]) -> Finding:
    able = next((one for one in clients if one.problem is None), None)
    if not clients:
        return Finding("docker command", False, "docker is not installed", "sudo apt-get install docker.io")
    if able is None:
        lacks = "; ".join(f"{one.path} {one.problem}" for one in clients)
        return Finding("docker command", False, f"cannot build: {lacks}", _BUILDX)
    return Finding("docker command", True, f"{able.path} {able.version}, with BuildKit")


def shadowing(clients: Sequence[BuildClient]) -> Finding | None:
    """A warning when the docker that people type is not the one that builds."""
    able = next((one for one in clients if one.problem is None), None)
    if able is None or able is clients[0]:
        return None
    first = clients[0]
    message = f"`docker` is {first.path}, which {first.problem}; ecluse uses {able.path}"
    return Finding("docker on PATH", None, message, _BUILDX)


_BUILDX = "sudo apt-get install docker-buildx-plugin"


def engine(facts: EngineFacts | str, user: str) -> Finding:
    if isinstance(facts, str):
        return _unreachable(facts, user)
    if _numbers(facts.version) < OLDEST_ENGINE:
        message = f"{facts.version} is older than 20.10"
        return Finding("docker engine", False, message, "sudo apt-get install --only-upgrade docker.io")
    if not facts.limits_memory:
        message = f"{facts.version}; its kernel does not limit memory, so no container has a limit"
        return Finding(
            "docker engine", None, message, "add cgroup_enable=memory to the kernel's command line"
        )
    return Finding("docker engine", True, facts.version)


def _unreachable(reason: str, user: str) -> Finding:
    name = "docker engine"
    if "permission denied" in reason.lower():
        message = f"{user} may not talk to the engine (who may is root on this machine)"
        return Finding(name, False, message, f"sudo usermod -aG docker {user} && newgrp docker")
    if re.search(r"is the docker daemon running|cannot connect|connection refused", reason, re.IGNORECASE):
        return Finding(name, False, f"the engine is not running: {reason}", "sudo systemctl start docker")
    return Finding(name, False, f"the engine cannot be asked: {reason}", "docker info")


def bases(names: Sequence[str], here: Collection[str], offered: Collection[str]) -> Finding | None:
    """Whether the images that Dockerfiles begin with can be had."""
    if not names:
        return None
    missing = [name for name in names if name not in here and name not in offered]
    if missing:
        message = f"neither here nor to be had: {', '.join(missing)}"
        return Finding("base images", False, message, f"docker pull {missing[0]}")
    later = [name for name in names if name not in here]
    note = f"; pulled when needed: {', '.join(later)}" if later else ""
    return Finding("base images", True, f"{len(names) - len(later)} of {len(names)} are here{note}")


def proxies(running: Mapping[str, str], image: str) -> Finding | None:
    """Whether gateways and edge are what they would be if they were made now."""
    if not running or not image:
        return None
    old = sorted(name for name, made_from in running.items() if made_from != image)
    if not old:
        return Finding("gateways", True, f"{len(running)} run {image}")
    message = (
        f"run an older image than {image}: {', '.join(old)}; the next deployment of theirs replaces them"
    )
    return Finding("gateways", None, message, "ecluse deploy ENV, at a quiet hour: a moment without answers")


def disk(free: int, path: str) -> Finding:
    message = f"{free / GIB:.1f} GiB free where images are kept ({path})"
    ok = True if free >= 10 * GIB else None if free >= 2 * GIB else False
    return Finding("disk", ok, message, None if ok else "docker system prune")


def memory(free: int | None) -> Finding:
    if free is None:
        return Finding("memory", None, "this system does not tell how much memory is free")
    ok = True if free >= 3 * GIB // 2 else None if free >= GIB // 2 else False
    return Finding("memory", ok, f"{free / GIB:.1f} GiB free", None if ok else "docker stats --no-stream")


def state(path: Path, user: str, *, is_writable: bool) -> Finding:
    if is_writable:
        return Finding("state", True, f"{path} can be written")
    message = f"{user} may not write {path}; ECLUSE_STATE can name another folder"
    return Finding("state", False, message, f"sudo install -d -m 0700 -o {user} {path}")


def edge(address: str, number: int, port: Port, *, scheme: str = "HTTP") -> Finding:
    where, setting = f"{address}:{number}", f"ECLUSE_EDGE_{scheme}_PORT"
    if port.is_free:
        return Finding("edge", True, f"{where} is free")
    if port.is_ours:
        return Finding("edge", True, f"{where} is ours")
    if port.holders:
        message = f"{where} is held by the container {port.holders[0]}; {setting} can name another"
        return Finding("edge", False, message, f"docker stop {port.holders[0]}")
    message = f"{where} is held by another program, or is no address of this machine"
    return Finding(
        "edge",
        False,
        f"{message}; {setting} can name another port",
        f"sudo ss -ltnp 'sport = :{number}'",
    )


def clock(now: datetime, skew: float | None) -> Finding:
    mend = "sudo timedatectl set-ntp true"
    if now < OLDEST_NOW:
        return Finding(
            "clock", False, f"it says {now:%Y-%m-%d}: certificates and schedules need the time", mend
        )
    if skew is not None and abs(skew) > SKEW_LIMIT:
        message = f"the engine's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
        return Finding("clock", None, message, mend)
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M} UTC")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
