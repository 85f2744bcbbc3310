"""A day of life in one minute: `tools/soak` is the same for as long as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

from benchmarks.load import Sample  # noqa: E402  # the tools are no package of the product
from soaking.account import of_requests  # noqa: E402
from soaking.memory import trend  # noqa: E402
from soaking.scene import Fault  # noqa: E402

MIB = 2**20


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill what runs in containers")
def test_after_a_short_day_everything_is_accounted_for() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOLS / "soak"), "--seconds", "60"],
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def lost(sent: float, ended: float) -> Sample:
    return Sample("keep-alive", sent, sent, ended, "", "reset")


def test_a_lost_request_is_explained_only_by_what_was_killed_meanwhile() -> None:
    killed = [Fault("gateway", at=10.0, until=15.0)]
    assert list(of_requests([lost(9.0, 10.1), lost(14.9, 15.2)], killed)) == []
    assert list(of_requests([lost(8.0, 9.9), lost(15.1, 15.2)], killed)) == [
        "2 requests lost while nothing had been killed: keep-alive: reset"
    ]


def test_growth_beyond_the_tolerance_is_not_flat() -> None:
    warm = [20 * MIB, 60 * MIB, 90 * MIB, 91 * MIB]
    assert trend("runner", [*warm, *[91 * MIB] * 12]).is_flat
    assert not trend("runner", [*warm, *[(91 + 2 * step) * MIB for step in range(12)]]).is_flat
