from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecluse.model.names import ProductName, ServiceName
from ecluse.model.release import Release
from ecluse.model.service import ImageBuild, ImageTests
from ecluse.model.source import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    service = tmp_path / "hello"
    service.mkdir()
    (service / "Dockerfile").write_text("FROM debian:12-slim\nCOPY . /app\n")
    (service / "app.py").write_text("print('hello')\n")
    return service


@pytest.fixture
def source_of(folder: Path) -> Callable[..., Source]:
    def make(**changes: object) -> Source:
        values: dict[str, object] = {
            "product": ProductName("comptoir"),
            "service": ServiceName("hello"),
            "folder": str(folder),
            "image": ImageBuild(target="production", tests=ImageTests("test", (("./test.sh",),))),
            "service_yaml": "service: hello\n",
            "templates": {},
            "commit": None,
            "dirty": False,
        }
        return Source(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def release_of() -> Callable[..., Release]:
    def make(**changes: object) -> Release:
        values: dict[str, object] = {
            "service": ServiceName("hello"),
            "version": "a1b2c3d",
            "image_id": "sha256:1",
            "content": "c",
            "inputs": "i" * 64,
            "created": datetime(2026, 1, 1, tzinfo=UTC),
            "commit": "a1b2c3d",
            "dirty": False,
            "service_yaml": "",
            "templates": {},
        }
        return Release(**{**values, **changes})  # type: ignore[arg-type]

    return make
