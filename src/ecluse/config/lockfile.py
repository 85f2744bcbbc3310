"""environments/<environment>.lock.yaml: what is known good, exported. Text only; `workspace` writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ecluse.config.document import read_document
from ecluse.config.schema.fields import Name, Nothing, Shape
from ecluse.config.validate import fit
from ecluse.errors import ConfigInvalid
from ecluse.model.names import EnvironmentName, ServiceName

HEADER = "# written by ecluse\n"


@dataclass(frozen=True, slots=True)
class Locked:
    """One service as it was known good. revision: of the configuration. secrets: key → fingerprint."""

    version: str
    image_id: str
    commit: str | None
    revision: str
    secrets: Mapping[str, str]


class _LockedText(Shape):
    version: str
    image: str
    commit: str | None = None
    revision: str
    secrets: Annotated[dict[str, str], Nothing] = Field(default_factory=dict)


class _LockText(Shape):
    environment: Name
    services: Annotated[dict[Name, _LockedText], Nothing] = Field(default_factory=dict)


def lock_text(environment: EnvironmentName, services: Mapping[ServiceName, Locked]) -> str:
    """The same text for the same content, so that git shows what changed."""
    lines = [HEADER, f"environment: {environment}\n", "services:\n" if services else "services: {}\n"]
    for name in sorted(services):
        lines += _service_lines(name, services[name])
    return "".join(lines)


def read_lock(text: str, file: str) -> dict[ServiceName, Locked]:
    """ConfigInvalid with all that is wrong in a lockfile."""
    shape, problems = fit(read_document(text, file), _LockText)
    if shape is None or problems:
        raise ConfigInvalid(problems)
    return {
        ServiceName(name): Locked(one.version, one.image, one.commit, one.revision, one.secrets)
        for name, one in shape.services.items()
    }


def _service_lines(name: str, locked: Locked) -> list[str]:
    facts = {
        "version": locked.version,
        "image": locked.image_id,
        "commit": locked.commit,
        "revision": locked.revision,
    }
    lines = [f"  {name}:\n"]
    lines += [f"    {key}: {_quoted(text)}\n" for key, text in facts.items() if text is not None]
    if locked.secrets:
        lines.append("    secrets:\n")
        lines += [f"      {_quoted(key)}: {_quoted(locked.secrets[key])}\n" for key in sorted(locked.secrets)]
    return lines


def _quoted(text: str) -> str:
    """JSON strings are YAML strings that no reader takes for numbers."""
    return json.dumps(text)
