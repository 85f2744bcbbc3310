"""What an examination asks about, and what it finds. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecluse.model.source import BuildClient


@dataclass(frozen=True, slots=True)
class Finding:
    """ok: True for fine, None for a warning, False for what keeps Écluse from working. mend: a command."""

    name: str
    ok: bool | None
    message: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What to examine: the product's folder (None outside one), where state lives, where the edge listens,
    the docker commands of this machine, the images that the product's Dockerfiles begin with, and the image that
    gateways are made from."""

    folder: Path | None
    state_root: Path
    edge_address: str
    edge_port: int
    clients: Sequence[BuildClient]
    bases: Sequence[str] = ()
    edge_https_port: int = 0
    proxy: str = ""
