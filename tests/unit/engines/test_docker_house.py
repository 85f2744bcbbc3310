from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.engines.docker import house
from ecluse.engines.docker.payloads import HOUSE_VERSIONS
from ecluse.errors import EngineError


@pytest.mark.parametrize("image", sorted(HOUSE_VERSIONS))
def test_every_house_image_stands_on_the_base_and_is_named_by_its_content(image: house.HouseImage) -> None:
    text = (Path(house.__file__).parent / "house" / image / "Dockerfile").read_text()
    assert f"FROM {house.BASE}\n" in text
    assert house.tag(image).startswith(f"ecluse/{image}:{HOUSE_VERSIONS[image]}-")


def test_a_missing_base_says_how_to_get_it() -> None:
    error = house._failure("redis", "manifest unknown", ["Step 1/8 : FROM debian:12-slim"])
    assert error.message.startswith("the image debian:12-slim, on which ecluse/redis:7.0-")
    assert "docker pull debian:12-slim" in (error.hint or "")


def test_a_build_that_fails_keeps_its_last_lines() -> None:
    said = ["Step 1/8 : FROM debian:12-slim", "Step 2/8 : RUN apt-get update"]
    house._note("redis", {"stream": "Err: no route\n"}, said)
    with pytest.raises(EngineError, match="did not build: exit 100\n.*Step 1.*\n.*Step 2.*\n  Err: no route"):
        house._note("redis", {"error": "exit 100"}, said)
