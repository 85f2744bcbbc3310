"""The labels that make an image a release, written and read. Pure.

Long texts are compressed and cut: the kernel limits one argument to 128 KB, an engine its request to 1 MB.
https://github.com/opencontainers/image-spec/blob/main/annotations.md
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from ecluse.errors import BuildFailed
from ecluse.model.source import Source

PRODUCT = "ecluse.product"
SERVICE = "ecluse.service"
VERSION = "ecluse.version"
COMMIT = "ecluse.commit"
DIRTY = "ecluse.dirty"
INPUTS = "ecluse.inputs"
CREATED = "ecluse.created"
SERVICE_YAML = "ecluse.service-yaml"
TEMPLATES = "ecluse.templates"
TESTED = "ecluse.tests-of"

PLAIN_LIMIT = 8 * 1024
PIECE_SIZE = 60 * 1024
TOTAL_LIMIT = 360 * 1024
_PACKED = "zlib+base64:"


def release_labels(source: Source, *, version: str, inputs: str, created: datetime) -> dict[str, str]:
    """Every label of the release. Raises BuildFailed when templates are too big to travel in labels."""
    labels = {
        PRODUCT: source.product,
        SERVICE: source.service,
        VERSION: version,
        COMMIT: source.commit or "",
        DIRTY: "true" if source.dirty else "false",
        INPUTS: inputs,
        CREATED: created.isoformat(),
        **_pieces(SERVICE_YAML, source.service_yaml),
        **_pieces(TEMPLATES, json.dumps(dict(source.templates), sort_keys=True, ensure_ascii=False)),
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": source.commit or "",
        "org.opencontainers.image.created": created.isoformat(),
    }
    size = sum(len(value) for value in labels.values())
    if size > TOTAL_LIMIT:
        raise BuildFailed(
            f"{source.service}: service.yaml and templates take {size // 1024} KB compressed, "
            f"more than the {TOTAL_LIMIT // 1024} KB that fit in an image's labels",
            hint="put large files that no environment changes into the image itself",
        )
    return labels


def read_text(labels: Mapping[str, str], name: str) -> str:
    """The text of a label that may be compressed and cut; empty when it is not there."""
    text = "".join(_stored_pieces(labels, name))
    if not text.startswith(_PACKED):
        return text
    return zlib.decompress(base64.urlsafe_b64decode(text.removeprefix(_PACKED))).decode()


def read_templates(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(json.loads(read_text(labels, TEMPLATES) or "{}"))


def _pieces(name: str, text: str) -> dict[str, str]:
    stored = text if len(text.encode()) <= PLAIN_LIMIT and not text.startswith(_PACKED) else _packed(text)
    cuts = range(0, max(len(stored), 1), PIECE_SIZE)
    return {_piece_name(name, number): stored[cut : cut + PIECE_SIZE] for number, cut in enumerate(cuts)}


def _packed(text: str) -> str:
    return _PACKED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()


def _piece_name(name: str, number: int) -> str:
    return name if number == 0 else f"{name}.{number}"


def _stored_pieces(labels: Mapping[str, str], name: str) -> Iterator[str]:
    number = 0
    while (piece := labels.get(_piece_name(name, number))) is not None:
        yield piece
        number += 1
