"""Reads the last lines of a program that failed: what they say of disk, ports, files and neighbours. Pure.

A cause is only made sharper by what can be seen: a line of the log beside a fact of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from ecluse.model.cause import Cause, CauseKind
from ecluse.model.workload import Box

_READABLE: frozenset[CauseKind] = frozenset({
    "exited", "task-failed", "probe-refused", "probe-silent", "timeout",
})  # fmt: skip
_EXEC = r"exec:? [\"']?([^\s\"':]+)[\"']?:? (?:failed: )?"
_NOT_THERE = re.compile(_EXEC + "No such file or directory", re.IGNORECASE)
_NOT_ALLOWED = re.compile(_EXEC + "Permission denied", re.IGNORECASE)
_NO_PROGRAM = re.compile(_EXEC + "Exec format error", re.IGNORECASE)
_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded|\bENOSPC\b", re.IGNORECASE)
_TAKEN = re.compile(r"address (?:is )?already in use|\bEADDRINUSE\b", re.IGNORECASE)
_UNRESOLVED = re.compile(
    r"could not resolve|cannot resolve|name or service not known|temporary failure in name resolution|getaddrinfo"
    r"|unknown (?:\w+ )*host|no such host|could not translate host name|name resolution|nodename nor servname",
    re.IGNORECASE,
)
_UNREADABLE = re.compile(
    r"denied|cannot|can't|could not|unable|failed|no such file|invalid|pars|syntax|unexpected|malformed|not readable",
    re.IGNORECASE,
)


def sharpened(cause: Cause, box: Box, neighbours: Mapping[str, bool]) -> Cause:
    """The cause as the log and the neighbours explain it. neighbours: every service and backing service of the
    environment → does it run?"""
    if cause.kind not in _READABLE:
        return cause
    readings = (
        _start(cause),
        _disk(cause),
        _port(cause),
        _file(cause, box),
        _neighbour(cause, box, neighbours),
        _undeclared(cause, box, neighbours),
    )
    return next((found for found in readings if found is not None), cause)


def at_the_start(cause: Cause) -> Cause:
    """The same for a container that has no box: a backing service."""
    return _start(cause) or cause


def _start(cause: Cause) -> Cause | None:
    """What the first process of the container (tini) says of a command that it cannot become."""
    if cause.kind == "timeout":
        return None
    for line, (pattern, words, hint) in product(cause.logs, _STARTS):
        if match := pattern.search(line):
            return replace(
                cause, sentence=f"{cause.subject} cannot start: {words.format(match[1])}", hint=hint
            )
    return None


_STARTS = (
    (
        _NOT_THERE,
        "its command {} is not in the image",
        "see `command` in service.yaml, and for a script its first line: the interpreter must be there too",
    ),
    (_NOT_ALLOWED, "its command {} may not be executed", "chmod +x it in the Dockerfile"),
    (
        _NO_PROGRAM,
        "its command {} is not a program for this machine",
        "a script begins with #! and its interpreter; an image is built for the machine's architecture",
    ),
)


def _disk(cause: Cause) -> Cause | None:
    return _because(
        cause,
        _line(cause, _NO_SPACE),
        "no space is left where it writes",
        kind="no-space",
        hint="`docker system df` tells what takes the disk; /dev/shm and a tmpfs have limits of their own",
    )


def _port(cause: Cause) -> Cause | None:
    return _because(
        cause,
        _line(cause, _TAKEN),
        "the port that it wants is taken inside its own container",
        kind="port-taken",
        hint="two programs start in this container, or one twice: each process has a container of its own",
    )


def _file(cause: Cause, box: Box) -> Cause | None:
    complaints = (
        (file.path, line)
        for file in box.files
        for line in cause.logs
        if file.path in line and _UNREADABLE.search(line)
    )
    path, line = next(complaints, ("", None))
    return _because(
        cause,
        line,
        f"it cannot use its configuration file {path}",
        kind="configuration-unreadable",
        hint=f"`ecluse plan` shows what {path} is made of; see `files` and `deliver` in service.yaml",
    )


def _neighbour(cause: Cause, box: Box, neighbours: Mapping[str, bool]) -> Cause | None:
    down = [name for name in (*box.backing, *box.uses) if not neighbours.get(str(name), True)]
    if not down:
        return None
    names = " and ".join(down)
    verb = "which does not run here" if len(down) == 1 else "which do not run here"
    return replace(
        cause,
        kind="dependency-down",
        sentence=f"{cause.sentence}; it needs {names}, {verb}",
        evidence=(*cause.evidence, *(f"{name}: no replica of it runs" for name in down)),
        hint=f"bring {names} first, or both together; a program that waits for its neighbours starts in any order",
    )


def _undeclared(cause: Cause, box: Box, neighbours: Mapping[str, bool]) -> Cause | None:
    declared = {*map(str, box.uses), *box.backing, str(box.release.service)}
    sought = (
        (name, line)
        for line in cause.logs
        if _UNRESOLVED.search(line)
        for name in sorted(set(neighbours) - declared)
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|[.]\w)", line)
    )
    name, line = next(sought, ("", None))
    return _because(
        cause,
        line,
        f"it looks for {name}, which it does not declare",
        kind=cause.kind,
        hint=f"add {name} to `uses` in service.yaml: only what is declared can be reached",
    )


def _because(cause: Cause, line: str | None, why: str, *, kind: CauseKind, hint: str) -> Cause | None:
    """The cause with what a line of the log adds to it; None where there is no such line."""
    if line is None:
        return None
    evidence = (*cause.evidence, f"its log: {line}")
    return replace(cause, kind=kind, sentence=f"{cause.sentence}: {why}", evidence=evidence, hint=hint)


def _line(cause: Cause, pattern: re.Pattern[str]) -> str | None:
    """The last that fits: what came just before the end."""
    return next((line for line in reversed(cause.logs) if pattern.search(line)), None)
