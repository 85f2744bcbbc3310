import random
import string
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ecluse.errors import BuildFailed
from ecluse.images.labels import PIECE_SIZE, read_templates, read_text, release_labels
from ecluse.model.source import Source

CREATED = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SourceOf = Callable[..., Source]


def _labels(source: Source) -> dict[str, str]:
    return release_labels(source, version="1.4", inputs="0f" * 32, created=CREATED)


def _noise(size: int) -> str:
    return "".join(random.Random(7).choices(string.printable, k=size))


def test_a_release_has_exactly_these_labels(source_of: SourceOf) -> None:
    source = source_of(commit="a1b2c3d", dirty=True, templates={"b.j2": "é", "a.j2": "{{ X }}"})
    assert _labels(source) == {
        "ecluse.product": "comptoir",
        "ecluse.service": "hello",
        "ecluse.version": "1.4",
        "ecluse.commit": "a1b2c3d",
        "ecluse.dirty": "true",
        "ecluse.inputs": "0f" * 32,
        "ecluse.created": "2026-07-01T12:30:00+00:00",
        "ecluse.service-yaml": "service: hello\n",
        "ecluse.templates": '{"a.j2": "{{ X }}", "b.j2": "é"}',
        "org.opencontainers.image.version": "1.4",
        "org.opencontainers.image.revision": "a1b2c3d",
        "org.opencontainers.image.created": "2026-07-01T12:30:00+00:00",
    }


def test_long_templates_are_compressed_and_read_back(source_of: SourceOf) -> None:
    templates = {"long.j2": "un chant, une écluse\n" * 3000}
    labels = _labels(source_of(templates=templates))
    assert labels["ecluse.templates"].startswith("zlib+base64:")
    assert len(labels["ecluse.templates"]) < 8192
    assert read_templates(labels) == templates


def test_what_compresses_badly_is_cut_into_arguments_that_fit(source_of: SourceOf) -> None:
    templates = {"noise.j2": _noise(200_000)}
    labels = _labels(source_of(templates=templates))
    pieces = [name for name in labels if name.startswith("ecluse.templates")]
    assert pieces == ["ecluse.templates", "ecluse.templates.1", "ecluse.templates.2", "ecluse.templates.3"]
    assert all(len(value) <= PIECE_SIZE for value in labels.values())
    assert read_templates(labels) == templates


def test_a_text_that_looks_compressed_is_read_back_as_it_was(source_of: SourceOf) -> None:
    text = "zlib+base64: not really\n"
    assert read_text(_labels(source_of(service_yaml=text)), "ecluse.service-yaml") == text


def test_too_much_for_labels_is_refused_with_a_way_out(source_of: SourceOf) -> None:
    with pytest.raises(BuildFailed) as caught:
        _labels(source_of(templates={"noise.j2": _noise(600_000)}))
    assert "more than the 360 KB that fit in an image's labels" in caught.value.message
    assert caught.value.hint == "put large files that no environment changes into the image itself"
