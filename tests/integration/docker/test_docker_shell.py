"""A command inside a replica, as a person at a terminal or a script with pipes uses it."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from docker_site import Here
from making import DOCKER

pytestmark = pytest.mark.docker

SHELL = """
import asyncio, sys
from pathlib import Path
from ecluse.engines.docker.engine import DockerEngine
from ecluse.model.application import Target
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.secrets.memory import MemoryVault

async def main(folder, product, tty, *command):
    engine = DockerEngine(vault=MemoryVault(), state=Path(folder) / "product", machine=Path(folder) / "_machine",
                          edge_address="127.0.0.1", edge_http_port=1, edge_https_port=0)
    target = Target(ProductName(product), EnvironmentName("test"), "test.localhost")
    try:
        return await engine.execute(target, ServiceName("hello"), None, command, tty=tty == "tty")
    finally:
        await engine.close()

sys.exit(asyncio.run(main(*sys.argv[1:])))
"""


def words(here: Here, mode: str, *command: str) -> list[str]:
    return [sys.executable, "-c", SHELL, str(here.folder), str(here.target.product), mode, *command]


async def test_pipes_go_in_and_out_and_the_exit_code_comes_back(here: Here) -> None:
    await here.deploy(here.make.web())
    command = words(here, "pipe", "sh", "-c", "cat; echo oops >&2; exit 5")
    done = await asyncio.to_thread(
        subprocess.run, command, input=b"line\n" * 50_000, capture_output=True, timeout=30
    )
    assert done.returncode == 5
    assert done.stdout == b"line\n" * 50_000
    assert done.stderr == b"oops\n"


async def test_a_file_can_be_the_input(here: Here, tmp_path: Path) -> None:
    await here.deploy(here.make.web())
    (tmp_path / "dump.sql").write_bytes(b"x" * 300_000)
    with (tmp_path / "dump.sql").open("rb") as file:
        command = words(here, "pipe", "wc", "-c")
        done = await asyncio.to_thread(subprocess.run, command, stdin=file, capture_output=True, timeout=30)
    assert done.stdout.split() == [b"300000"]


async def test_a_terminal_is_one_inside_too(here: Here) -> None:
    await here.deploy(here.make.web())
    master, slave = pty.openpty()
    command = words(
        here, "tty", "sh", "-c", "test -t 0 && read word && echo got $word && stty size && exit 6"
    )
    environment = os.environ | {"COLUMNS": "91", "LINES": "33"}
    process = subprocess.Popen(  # noqa: ASYNC220  # it starts at once
        command, stdin=slave, stdout=slave, stderr=slave, close_fds=True, env=environment
    )
    os.close(slave)
    # ahead of the command, as people do
    os.write(master, b"hello\r")
    assert await asyncio.to_thread(process.wait, 60) == 6
    said = os.read(master, 4096).decode()
    os.close(master)
    assert "got hello" in said
    assert "33 91" in said


async def test_a_script_with_nothing_to_say_ends(here: Here) -> None:
    await here.deploy(here.make.web())
    command = words(here, "pipe", "true")
    done = await asyncio.to_thread(
        subprocess.run, command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path(DOCKER).name == "docker"
