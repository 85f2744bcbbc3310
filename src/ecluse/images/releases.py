"""Finds the releases among the engine's images: a label says what each is, its tag must agree."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecluse.errors import EngineError
from ecluse.images import labels
from ecluse.model.names import ProductName, ServiceName
from ecluse.model.release import Release

TIMEOUT_SECONDS = 60.0
# What a program in the image can notice; `docker image inspect` holds more, such as the build's container.
_CONTENT_KEYS = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Shell", "StopSignal", "User", "Volumes",
    "WorkingDir",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DockerReleases:
    """The releases of a product on the engine that the docker command `command` talks to."""

    product: ProductName
    command: str

    def list(self, service: ServiceName | None = None) -> Sequence[Release]:
        """Newest first. Raises EngineError when the engine cannot be asked."""
        wanted = [f"label={labels.PRODUCT}={self.product}"]
        if service:
            wanted.append(f"label={labels.SERVICE}={service}")
        filters = [part for text in wanted for part in ("--filter", text)]
        ids = _ask(self.command, "image", "ls", "--quiet", "--no-trunc", *filters).split()
        if not ids:
            return ()
        images = json.loads(_ask(self.command, "image", "inspect", *dict.fromkeys(ids)))
        found = (release_of(image) for image in images)
        return sorted(
            (release for release in found if release), key=lambda release: release.created, reverse=True
        )

    def of_image(self, service: ServiceName, image_id: str) -> Release | None:
        asked = _ask(self.command, "image", "inspect", image_id)
        (release,) = [release_of(image, named=False) for image in json.loads(asked or "[]")] or [None]
        return release if release is not None and release.service == service else None

    def discard(self, doomed: Sequence[Release]) -> tuple[str, ...]:
        """Removes these and what builds left without a name. Gives the tags that went; an image that a container uses
        stays."""
        gone = []
        for release in doomed:
            tags = _ask(self.command, "image", "inspect", "--format", "{{json .RepoTags}}", release.image_id)
            for tag in json.loads(tags or "null") or ():
                if _ask(self.command, "image", "rm", tag, may_fail=True):
                    gone.append(tag)
        for mark in (f"{labels.PRODUCT}={self.product}", labels.TESTED):
            _ask(self.command, "image", "prune", "--force", "--filter", f"label={mark}")
        return tuple(gone)


def release_of(image: Mapping[str, Any], *, named: bool = True) -> Release | None:
    """The release that an inspected image is. None for one that only inherits the labels of a release, which its name
    tells."""
    config = image.get("Config") or {}
    marks: Mapping[str, str] = config.get("Labels") or {}
    service, version = marks.get(labels.SERVICE), marks.get(labels.VERSION)
    if not service or not version or (named and not _is_tagged(image, f"{service}:{version}")):
        return None
    return Release(
        service=ServiceName(service),
        version=version,
        image_id=image["Id"],
        content=content_digest(image),
        inputs=marks.get(labels.INPUTS, ""),
        created=_created(image, marks),
        commit=marks.get(labels.COMMIT) or None,
        dirty=marks.get(labels.DIRTY) == "true",
        service_yaml=labels.read_text(marks, labels.SERVICE_YAML),
        templates=labels.read_templates(marks),
        workdir=config.get("WorkingDir") or None,
    )


def content_digest(image: Mapping[str, Any]) -> str:
    """SHA-256 over the layers and the settings that a container gets from the image; labels do not count."""
    config = image.get("Config") or {}
    content = {
        "layers": (image.get("RootFS") or {}).get("Layers") or [],
        "platform": [image.get("Os"), image.get("Architecture")],
        "config": {key: config[key] for key in _CONTENT_KEYS if config.get(key)},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_tagged(image: Mapping[str, Any], name: str) -> bool:
    return any(tag.rpartition("/")[2] == name for tag in image.get("RepoTags") or ())


def _created(image: Mapping[str, Any], marks: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromisoformat(marks.get(labels.CREATED) or image.get("Created", ""))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _ask(command: str, *arguments: str, may_fail: bool = False) -> str:
    try:
        done = subprocess.run([command, *arguments], capture_output=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"the Docker engine did not answer within {TIMEOUT_SECONDS:g} s") from error
    except OSError as error:
        raise EngineError(f"{command} cannot be started: {error.strerror}") from error
    # An image that went away between the two questions is no failure: the others are still printed.
    if done.returncode and not may_fail and b"No such image" not in done.stderr:
        reason = done.stderr.decode(errors="replace").strip()
        raise EngineError(f"the Docker engine cannot be asked: {reason}", hint="run: ecluse doctor")
    return done.stdout.decode(errors="replace")
