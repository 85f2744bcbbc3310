"""Brings questions and judgements together; asks side by side."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ecluse.doctor import judge, probe
from ecluse.doctor.finding import Finding, Subject
from ecluse.doctor.probe import Answer, EngineFacts

T = TypeVar("T")


async def examine(subject: Subject) -> Sequence[Finding]:
    """Every finding, in the order in which they are best mended. Changes nothing on the machine."""
    groups = await asyncio.gather(
        _git(subject),
        _docker(subject),
        _in_thread(lambda: [_state(subject)]),
    )
    return [judge.python(sys.version_info[:3]), *(finding for group in groups for finding in group)]


async def _git(subject: Subject) -> list[Finding]:
    folder = subject.folder
    version, name, mail, inside = await asyncio.gather(
        _ask(folder, "git", "--version"),
        _ask(folder, "git", "config", "user.name"),
        _ask(folder, "git", "config", "user.email"),
        _ask(folder, "git", "rev-parse", "--is-inside-work-tree"),
    )
    found = [judge.git(version, name, mail)]
    if folder and version.code == 0:
        found.append(judge.repository(folder, inside))
    return found


async def _docker(subject: Subject) -> list[Finding]:
    found = [judge.client(subject.clients)]
    if warning := judge.shadowing(subject.clients):
        found.append(warning)
    docker = next((one.path for one in subject.clients if one.version), None)
    facts: EngineFacts | str | None = await _in_thread(lambda: probe.engine(docker)) if docker else None
    if facts is not None:
        found.append(judge.engine(facts, getpass.getuser()))
    reachable = facts if isinstance(facts, EngineFacts) else None
    if docker and reachable:
        found.extend(await _bases(subject, docker))
        finding = judge.proxies(await _in_thread(lambda: probe.proxies(docker)), subject.proxy)
        found.extend([finding] if finding else [])
    return [*found, *await _in_thread(lambda: _machine(subject, docker, reachable))]


async def _bases(subject: Subject, docker: str) -> list[Finding]:
    names = sorted(set(subject.bases))
    here = await _in_thread(lambda: probe.images_here(docker, names))
    missing = [name for name in names if name not in here]
    answers = await asyncio.gather(*(_is_offered(docker, name) for name in missing))
    offered = {name for name, is_offered in zip(missing, answers, strict=True) if is_offered}
    finding = judge.bases(names, here, offered)
    return [finding] if finding else []


async def _is_offered(docker: str, name: str) -> bool:
    return await _in_thread(lambda: probe.is_offered(docker, name))


def _machine(subject: Subject, docker: str | None, facts: EngineFacts | None) -> list[Finding]:
    root = Path(facts.root) if facts and facts.root else subject.state_root
    address = subject.edge_address
    numbers = {"HTTP": subject.edge_port, "HTTPS": subject.edge_https_port}
    edges = [
        judge.edge(address, number, probe.port(docker if facts else None, address, number), scheme=scheme)
        for scheme, number in numbers.items()
        if number
    ]
    return [
        judge.disk(probe.free_disk(root), str(root)),
        judge.memory(probe.free_memory()),
        *edges,
        judge.clock(probe.now(), facts.skew if facts else None),
    ]


def _state(subject: Subject) -> Finding:
    root = subject.state_root
    return judge.state(root, getpass.getuser(), is_writable=probe.is_writable(root))


async def _ask(folder: Path | None, *argv: str) -> Answer:
    return await _in_thread(lambda: probe.ask(*argv, folder=folder))


async def _in_thread(question: Callable[[], T]) -> T:
    return await asyncio.to_thread(question)
