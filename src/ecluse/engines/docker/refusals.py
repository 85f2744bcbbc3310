"""Why a container cannot be made or started at all: what Docker refuses, and what would be in vain. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ecluse.model.cause import Cause, CauseKind


class _Refusal(NamedTuple):
    """What Docker says, in small letters, and what it means: `{}` is who is refused."""

    words: tuple[str, ...]
    kind: CauseKind
    sentence: str
    hint: str


_FULL = ("no space left", "disk quota")
_TAKEN = ("port is already allocated", "address already in use")
_REFUSALS = (
    _Refusal(
        ("no such image",),
        "image-missing",
        "the image of {} is not on this machine",
        "build it here with `ecluse build`, or pull it",
    ),
    _Refusal(
        _FULL,
        "no-space",
        "no disk space is left for {}",
        "free some: `docker system df` tells what takes it",
    ),
    _Refusal(
        ("executable file not found", "no such file or directory"),
        "exited",
        "{} cannot start: its command is not in the image",
        "see `command` in service.yaml",
    ),
    _Refusal(
        ("permission denied",),
        "exited",
        "{} cannot start: its command may not be executed",
        "see the file's mode in the image",
    ),
    _Refusal(
        _TAKEN,
        "port-taken",
        "{} cannot start: an address or port is taken",
        "another container of this machine holds it: `docker ps` shows them",
    ),
    _Refusal(
        ("unable to find user", "unable to find group"),
        "exited",
        "{} cannot start: the user that its image names does not exist",
        "see USER in the Dockerfile: the image's /etc/passwd must have it",
    ),
    _Refusal(("",), "engine", "Docker does not start {}", "`ecluse doctor` looks at the engine"),
)
"""The first that fits; the last fits always."""


def refused(subject: str, image: str, reason: str) -> Cause:
    """Docker would not create or start the container."""
    found = next(item for item in _REFUSALS if _says(reason, item.words))
    which = f": {image}" if found.kind == "image-missing" else ""
    sentence = found.sentence.format(subject) + which
    return Cause(found.kind, subject, sentence, (f"Docker: {reason}",), hint=found.hint)


def not_put(subject: str, paths: Sequence[str], reason: str) -> Cause:
    """Docker would not take our files."""
    if _says(reason, _FULL):
        return refused(subject, "", reason)
    names = " or ".join(paths)
    return Cause(
        "configuration-unreadable", subject, f"{subject} cannot be given its configuration file {names}",
        (f"Docker: {reason}",), hint="is there a folder of that name in the image, or a file where a folder should be?",
    )  # fmt: skip


def unreadable(subject: str, why: str) -> Cause:
    """A file that we would put in, and that the program could not read."""
    return Cause(
        "configuration-unreadable", subject, f"{subject} could not read its configuration: {why}", (why,),
        hint="give the file the `owner` or the `mode` that the program needs; without an owner it is the image's user",
    )  # fmt: skip


def dependency_down(subject: str, name: str, status: str) -> Cause:
    return Cause(
        "dependency-down",
        subject,
        f"{subject} needs {name}, which does not run",
        (f"{name}: {status}",),
        hint="`ecluse deploy` starts it again; `docker logs` tells why it stopped",
    )


def is_port_taken(reason: str) -> bool:
    return _says(reason, _TAKEN)


def _says(reason: str, words: Sequence[str]) -> bool:
    return any(word in reason.lower() for word in words)
