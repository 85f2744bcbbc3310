"""The commands of the README do what it says: each block marked `sh` is run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import ECLUSE, Command, remove_images

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def place(tmp_path: Path, edge_port: int) -> Iterator[Command]:
    command = Command(tmp_path / "shop", tmp_path / "state", edge_port)
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images("shop")


def test_the_first_use_works_as_written(place: Command) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    script = script.replace("http://127.0.0.1/", f"http://127.0.0.1:{place.port}/")
    identity = {
        f"GIT_{role}_{fact}": value
        for role in ("AUTHOR", "COMMITTER")
        for fact, value in (("NAME", "Reader"), ("EMAIL", "reader@example.invalid"))
    }
    variables = identity | {"PATH": f"{ECLUSE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=place.root.parent,
        env=place.environment(variables),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "hello" in done.stdout.lower().splitlines()[-1], done.stdout
    assert place.ok("plan", "test").out.strip() == "test: nothing to do (1 service as wanted)"


def test_every_command_of_the_table_exists() -> None:
    words = set(re.findall(r"`ecluse ([a-z]+)", (ROOT / "README.md").read_text()))
    shown = subprocess.run([str(ECLUSE), "--help"], capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  ([a-z]+) ", shown, flags=re.M))
    assert words <= listed
