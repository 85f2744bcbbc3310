"""A day of life in one minute: `tools/soak` is the same for as long as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill what runs in containers")
def test_after_a_short_day_everything_is_accounted_for() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "soak"), "--seconds", "60"],
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
