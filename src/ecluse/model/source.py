"""Where a release is built from, and what a build tells while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ecluse.model.names import ProductName, ServiceName
from ecluse.model.service import ImageBuild


@dataclass(frozen=True, slots=True)
class Source:
    """A service's folder, ready to build.

    folder: absolute path of the folder of service.yaml. commit: the last commit that touched the folder
    (short), None outside git. dirty: the folder differs from that commit.
    """

    product: ProductName
    service: ServiceName
    folder: str
    image: ImageBuild
    service_yaml: str
    templates: Mapping[str, str]
    commit: str | None
    dirty: bool


BuildStage = Literal["checking", "unchanged", "test image", "tests", "image", "done", "failed"]


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """One step of a build: the stage that began, or a line of output within it.

    seconds: since the build of this service began. version, image_id: with `done` and `unchanged`.
    """

    service: ServiceName
    stage: BuildStage
    line: str | None = None
    seconds: float = 0.0
    version: str | None = None
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class BuildClient:
    """A docker command found on this machine; `problem` says why it cannot build, None when it can."""

    path: str
    version: str | None
    problem: str | None = None
