"""What `tools/bench causes` gives to docker-compose, read by docker-compose itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from benchmarks import corpus  # the tools are no package of the product


def test_each_case_is_measured_or_left_out_for_a_reason() -> None:
    cases = {path.parent.name for path in corpus.FOLDER.glob("*/expected.txt")}
    assert {*corpus.names(), *corpus.LEFT_OUT} == cases


def test_docker_compose_understands_all_that_is_measured(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not on this machine")
    file = tmp_path / "docker-compose.json"
    file.write_text(json.dumps(corpus.composed(tmp_path, [corpus.read(name) for name in corpus.names()])))
    done = subprocess.run(
        [program, "-f", str(file), "config", "--services"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert set(corpus.names()) <= set(done.stdout.split())


def test_docker_compose_has_the_patience_of_the_probe(tmp_path: Path) -> None:
    services = corpus.composed(tmp_path, [corpus.read("nothing-listens")])["services"]
    check = services["nothing-listens"]["healthcheck"]
    assert (check["interval"], check["start_period"], check["retries"]) == ("500ms", "4s", 1)
