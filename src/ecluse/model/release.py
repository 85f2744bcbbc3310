"""A release: service + version + image + the service.yaml and templates of that version, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ecluse.model.names import ServiceName


@dataclass(frozen=True, slots=True)
class Release:
    """What can be deployed.

    image_id: the config digest (`sha256:…`), the same before and after a push.
    content: a digest of what the image holds, labels left out: equal content replaces nothing.
    inputs: a digest of everything that the image was built from.
    commit: the commit of the service's folder, None outside git; dirty: built from uncommitted changes.
    """

    service: ServiceName
    version: str
    image_id: str
    content: str
    inputs: str
    created: datetime
    commit: str | None
    dirty: bool
    service_yaml: str
    templates: Mapping[str, str]
    workdir: str | None = None

    @property
    def short_id(self) -> str:
        return self.image_id.removeprefix("sha256:")[:12]
