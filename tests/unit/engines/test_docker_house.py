from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.engines.docker import house
from ecluse.engines.docker.payloads import HOUSE_VERSIONS
from ecluse.errors import EngineError


@pytest.mark.parametrize("image", sorted(HOUSE_VERSIONS))
def test_every_house_image_stands_on_the_base_and_is_named_by_its_content(image: house.HouseImage) -> None:
    text = (Path(house.__file__).parent / "house" / image / "Dockerfile").read_text()
    usual = next(iter(HOUSE_VERSIONS[image]))
    assert "=debian:12-slim\nFROM $BASE\n" in text or "\nFROM debian:12-slim\n" in text
    assert house.base(image) == "debian:12-slim"
    assert house.tag(image).startswith(f"ecluse/{image}:{usual}-")
    tags = [house.tag(image, version) for version in HOUSE_VERSIONS[image]]
    assert len(set(tags)) == len(tags)


def test_a_version_may_be_named_by_its_beginning() -> None:
    assert house.tag("mariadb", "10") == house.tag("mariadb", "10.11") == house.tag("mariadb")
    assert house.base("mariadb", "10.5") == "debian:11-slim"
    with pytest.raises(EngineError, match=r"mariadb 1 is not available here"):
        house.tag("mariadb", "1")


def test_a_missing_base_says_how_to_get_it() -> None:
    error = house._failure("redis", "manifest unknown", ["Step 1/8 : FROM debian:12-slim"])
    assert error.message.startswith("the image debian:12-slim, on which ecluse/redis:7.0-")
    assert "docker pull debian:12-slim" in (error.hint or "")


def test_a_build_that_fails_keeps_its_last_lines() -> None:
    said = ["Step 1/8 : FROM debian:12-slim", "Step 2/8 : RUN apt-get update"]
    house._note("redis", {"stream": "Err: no route\n"}, said)
    with pytest.raises(EngineError, match="did not build: exit 100\n.*Step 1.*\n.*Step 2.*\n  Err: no route"):
        house._note("redis", {"error": "exit 100"}, said)
