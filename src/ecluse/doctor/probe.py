"""Asks the machine. Every question ends within a limit; an answer that cannot be had is None."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: its exit code (127: not there, 124: too slow) and what it printed."""

    code: int
    output: str
    error: str


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the engine tells about itself. skew: seconds that its clock is ahead of ours; memory in bytes."""

    version: str
    memory: int
    root: str
    skew: float | None
    limits_memory: bool


@dataclass(frozen=True, slots=True)
class Port:
    """A port of this machine: free, or held by `holder` (the names of containers, when they are ours)."""

    is_free: bool
    holders: tuple[str, ...] = ()
    is_ours: bool = False


def ask(*argv: str, folder: Path | None = None, timeout: float = SECONDS) -> Answer:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, cwd=folder)
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"no answer within {timeout:g} s")
    except OSError as error:
        return Answer(127, "", error.strerror or str(error))
    return Answer(done.returncode, done.stdout.strip(), done.stderr.strip())


def engine(docker: str) -> EngineFacts | str:
    """The facts, or why the engine cannot be asked."""
    answer = ask(docker, "info", "--format", "{{json .}}")
    try:
        facts: dict[str, Any] = json.loads(answer.output)
    except ValueError:
        return answer.error or f"docker info ended with {answer.code}"
    if errors := facts.get("ServerErrors"):
        return str(errors[0])
    if not facts.get("ServerVersion"):
        return answer.error or "the engine tells no version"
    return EngineFacts(
        version=facts["ServerVersion"],
        memory=int(facts.get("MemTotal") or 0),
        root=str(facts.get("DockerRootDir") or ""),
        skew=_skew(str(facts.get("SystemTime") or "")),
        limits_memory=bool(facts.get("MemoryLimit")),
    )


def _skew(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() - time.time()
    except ValueError:
        return None


def images_here(docker: str, names: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name in names if ask(docker, "image", "inspect", name).code == 0)


def is_offered(docker: str, image: str) -> bool:
    """Whether its registry answers for an image; nothing is downloaded."""
    return ask(docker, "manifest", "inspect", image).code == 0


def proxies(docker: str) -> dict[str, str]:
    """The gateways and edges that run: name → the image that it was made from; a digest where its name means
    another by now."""
    answer = ask(docker, "ps", "--filter", "label=ecluse.kind", "--format", _PROXY)
    rows = (line.split("\t") for line in answer.output.splitlines())
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] in ("gateway", "edge")}


_PROXY = '{{.Names}}\t{{.Label "ecluse.kind"}}\t{{.Image}}'


def free_disk(path: Path) -> int:
    """Free bytes where `path` is, or will be."""
    return shutil.disk_usage(existing(path)).free


def free_memory() -> int | None:
    """Bytes that programs can still have (proc(5), MemAvailable); None where there is no /proc."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def existing(path: Path) -> Path:
    """`path`, or its nearest parent that exists."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())


def is_writable(path: Path) -> bool:
    """Whether we may write into the folder, or make it."""
    here = existing(path)
    return here.is_dir() and os.access(here, os.W_OK | os.X_OK)


def port(docker: str | None, address: str, number: int) -> Port:
    if _is_free(address, number):
        return Port(is_free=True)
    holders = _publishers(docker, number) if docker else {}
    is_ours = any(_is_ours(name, labels) for name, labels in holders.items())
    return Port(is_free=False, holders=tuple(holders), is_ours=is_ours)


def _is_free(address: str, number: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, number))
        except OSError as error:
            if error.errno != errno.EACCES:
                return False
        else:
            return True
    # A low port, and we are not root: the engine will be, so only what answers there matters.
    with socket.socket(family) as caller:
        caller.settimeout(2)
        return caller.connect_ex((address, number)) != 0


def _publishers(docker: str, number: int) -> dict[str, str]:
    answer = ask(docker, "ps", "--filter", f"publish={number}", "--format", "{{.Names}}\t{{.Labels}}")
    return dict(line.split("\t", 1) for line in answer.output.splitlines() if "\t" in line)


def _is_ours(name: str, labels: str) -> bool:
    return any(label.startswith("ecluse.") for label in labels.split(","))


def now() -> datetime:
    return datetime.now(UTC)
