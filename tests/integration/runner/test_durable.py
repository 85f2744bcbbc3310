"""Durable steps across processes that die: the same interpreter goes on, another one begins anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from ecluse.store.database import open_database, sqlite_url
from ecluse.store.durable import Durable

folder, steps, dies = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3]
open_database(folder)
ended = asyncio.Event()

async def interpret(number, journal):
    for step in steps:
        async def act():
            print(step, flush=True)
            if step == dies:
                os._exit(9)
            return step
        await journal.step(step, act)
    ended.set()
    return "done"

async def main():
    durable = Durable(sqlite_url(folder), interpret)
    durable.launch()
    async with asyncio.timeout(60):
        while not ended.is_set():
            await durable.ensure(1)
            await asyncio.sleep(0.1)
    os._exit(0)

asyncio.run(main())
"""


def execute(folder: Path, steps: str, *, dies: str = "") -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), steps, dies], capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.split()


def test_steps_that_were_recorded_are_not_done_again(tmp_path: Path) -> None:
    assert execute(tmp_path, "begin,wave,settle", dies="wave") == (9, ["begin", "wave"])
    assert execute(tmp_path, "begin,wave,settle", dies="settle") == (9, ["wave", "settle"])
    assert execute(tmp_path, "begin,wave,settle") == (0, ["settle"])


def test_a_deployment_that_another_form_of_the_interpreter_began_is_begun_anew(tmp_path: Path) -> None:
    assert execute(tmp_path, "begin,wave,settle", dies="settle") == (9, ["begin", "wave", "settle"])
    assert execute(tmp_path, "check,begin,wave,settle") == (0, ["check", "begin", "wave", "settle"])
