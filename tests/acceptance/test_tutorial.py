"""The tutorial does what it says: each `sh` block is run as it stands, and says what the `text` block below shows."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import ECLUSE, Command, remove_images

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "moving-a-service.md"
BLOCKS = re.findall(r"```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", TUTORIAL.read_text("utf-8"), flags=re.S)

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def place(tmp_path: Path, edge_port: int) -> Iterator[Command]:
    command = Command(tmp_path / "shop", tmp_path / "state", edge_port)
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images("shop")


def test_a_service_with_a_dotenv_moves_in_as_written(place: Command, tmp_path: Path) -> None:
    variables = place.environment(_reader(tmp_path))
    folder, shown = tmp_path, ""
    for commands, wanted in BLOCKS:
        script = f"{commands.replace('http://127.0.0.1/', f'http://127.0.0.1:{place.port}/')}\npwd >&9"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"exec 9>{tmp_path}/where; {script}"],
            cwd=folder, env=variables, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        folder = Path((tmp_path / "where").read_text().strip())
        shown += done.stdout + done.stderr
        for line in wanted.splitlines():
            assert " ".join(line.split()) in " ".join(done.stdout.split()), (
                f"{line}\nis not in\n{done.stdout}"
            )
    for secret in ("only-for-tests-8d1f", "the-real-one-c04e"):
        assert secret not in shown
        assert not [
            path for path in place.root.rglob("*") if path.is_file() and secret in path.read_text("latin-1")
        ]


def _reader(home: Path) -> dict[str, str]:
    """Somebody with a home and a name of their own."""
    identity = {
        f"GIT_{role}_{fact}": value
        for role in ("AUTHOR", "COMMITTER")
        for fact, value in (("NAME", "Reader"), ("EMAIL", "reader@example.invalid"))
    }
    own = {"HOME": str(home / "home"), "XDG_CONFIG_HOME": str(home / "home" / ".config")}
    return identity | own | {"PATH": f"{ECLUSE.parent}{os.pathsep}{os.environ['PATH']}"}


def test_the_tutorial_has_blocks_with_and_without_output() -> None:
    assert len(BLOCKS) > 8
    assert sum(bool(wanted) for _, wanted in BLOCKS) > 6
