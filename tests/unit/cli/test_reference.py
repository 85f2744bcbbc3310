from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_reference_of_commands_is_what_the_commands_say() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "reference"), "--check"], cwd=ROOT)
    assert done.returncode == 0, "run: .venv/bin/python tools/reference"
