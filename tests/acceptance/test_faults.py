"""Whatever is killed, and whenever: the state is true, nothing is orphaned, the service answers, no task runs twice,
and nobody has to do anything. `tools/bench faults` does it two hundred times."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ecluse
from ecluse.store.durable import WORKFLOW_VERSION

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from faults import strike  # the tools are no package of the product
from faults.scene import Kind, Scene, scene
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


def newer_version(folder: Path) -> Path:
    """Écluse as it will be one day: another number, and an interpreter that plays other steps."""
    package = folder / "ecluse"
    shutil.copytree(Path(ecluse.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, before, after in (
        ("__init__.py", f'"{ecluse.__version__}"', '"99.0.0"'),
        ("store/durable.py", f'WORKFLOW_VERSION = "{WORKFLOW_VERSION}"', 'WORKFLOW_VERSION = "another"'),
    ):
        text = (package / path).read_text()
        assert before in text
        (package / path).write_text(text.replace(before, after))
    return folder


@pytest.mark.parametrize(("kind", "event"), [("deploy", 7), ("failing", 22), ("rollback", 12)])
def test_an_upgrade_of_ecluse_in_the_middle_changes_nothing(
    under_load: Scene, tmp_path: Path, kind: Kind, event: int
) -> None:
    assert strike.the_upgrade(under_load, kind, event, newer_version(tmp_path)) == []


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
