"""Brings together what the doctor looks at: this machine, the docker clients, the bases of the services."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.errors import EcluseError
from ecluse.settings import Settings
from ecluse.wiring.building import source
from ecluse.wiring.product import OpenProduct

if TYPE_CHECKING:
    from ecluse.doctor.finding import Finding


async def examine_machine(folder: Path, settings: Settings) -> Sequence[Finding]:
    from ecluse.doctor.examine import examine
    from ecluse.doctor.finding import Subject
    from ecluse.engines.docker.house import tag
    from ecluse.images.client import survey

    subject = Subject(
        folder=folder,
        state_root=settings.state_root,
        edge_address=settings.edge_address,
        edge_port=settings.edge_http_port,
        edge_https_port=settings.edge_https_port,
        clients=survey(os.environ),
        bases=_bases(folder, settings),
        proxy=tag("haproxy"),
    )
    return await examine(subject)


def _bases(folder: Path, settings: Settings) -> tuple[str, ...]:
    """The images that the product's Dockerfiles begin from. A broken product does not stop the doctor."""
    from ecluse.images.dockerfile import base_of, outer_bases, read_instructions
    from ecluse.images.inputs import read_dockerfile

    try:
        product = OpenProduct(folder, settings)
        texts = [read_dockerfile(source(product, name)) for name in product.configuration.services]
    except EcluseError:
        return ("debian:12-slim",)
    bases = {base_of(item) for text in texts for item in outer_bases(read_instructions(text))}
    return tuple(sorted(bases | {"debian:12-slim"}))
