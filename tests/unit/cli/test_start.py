from __future__ import annotations

import subprocess
import sys

HEAVY = ("pydantic", "yaml", "asyncio", "rich", "aiohttp", "sqlalchemy", "dbos", "jinja2", "subprocess")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from ecluse.cli.main import run_command\n"
        "assert run_command(['--help']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Exit codes:" in done.stdout
