"""The real `sops`, or a skip that says how to get it."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest
from real_sops import RealSops, find


@pytest.fixture
def sops(tmp_path: Path) -> RealSops:
    program = find("sops")
    if program is None:
        pytest.skip("no sops: `make peers` builds it where Go and its modules can be had")
    return RealSops(program, tmp_path, pyrage.x25519.Identity.generate())
