"""Whatever is killed, and whenever: the state is true, nothing is orphaned, the service answers, no task runs twice,
and nobody has to do anything. `tools/bench faults` does it two hundred times."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from faults import strike  # the tools are no package of the product
from faults.scene import Scene, scene
from faults.strike import Point

pytestmark = pytest.mark.usefixtures("docker_engine")
root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may kill what runs in containers, and mount"
)
POINTS = (
    Point("deploy", 2, before=True),
    Point("failing", 4),
    Point("rollback", 26, before=True),
    Point("deploy", 10, delay=0.2),
    Point("failing", 24),
    Point("rollback", 15, delay=0.1),
)


@pytest.fixture(scope="module")
def under_load(docker_engine: None) -> Iterator[Scene]:
    with scene() as found:
        yield found


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_runner_that_is_killed_leaves_no_trace(under_load: Scene, point: Point) -> None:
    assert strike.the_runner(under_load, point) == []


def test_the_command_that_follows_a_deployment_only_watches(under_load: Scene) -> None:
    assert strike.the_command(under_load, "deploy", 4) == []


def test_a_power_cut_that_tears_the_last_page_of_the_record_is_recovered(under_load: Scene) -> None:
    assert strike.the_power(under_load, "rollback", 9) == []


@root_only
def test_a_gateway_that_crashes_in_a_deployment_comes_back_and_the_state_is_true(under_load: Scene) -> None:
    assert strike.the_gateway(under_load, "deploy", 8) == []


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "ecluse-test", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no file system of its own can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@root_only
def test_a_record_without_room_stops_a_deployment_and_fails_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path) as state, scene(state=state) as found:
        assert strike.the_room(found, "deploy", 6) == []
