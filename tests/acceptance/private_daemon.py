"""A Docker engine of the tests' own, in a network namespace of its own: it may be stopped, killed, and lose its machine.

A second engine in the same namespace would sweep away the packet rules of the first.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar
from uuid import uuid4

import pytest

START_SECONDS = 90.0
_CLONE_NEWNET = 0x40000000
Value = TypeVar("Value")


class Daemon:
    """dockerd with everything of its own under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"ecl-{uuid4().hex[:8]}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def inside(self) -> list[str]:
        """What leads a command into the namespace."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def start(self) -> None:
        """Returns when it answers."""
        words = [
            *self.inside, "dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "--pidfile", f"{self.folder}/pid", "--host", self.url, "--bridge", "none", "--log-level", "warn",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        wait_for(self.answers, START_SECONDS, "the private engine answers")

    def answers(self) -> bool:
        done = subprocess.run(["docker", "--host", self.url, "version"], capture_output=True)
        return done.returncode == 0

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=120)

    def lose_power(self) -> None:
        """Every process of it ends at once, and its networks are gone, as when a machine is switched off."""
        self.kill()
        for _ in range(3):
            for pid in self._mine():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        wait_for(lambda: not self._mine(), 30, "every process of the private engine has ended")
        for mount in reversed(self._mounts()):
            subprocess.run(["umount", "--lazy", mount], capture_output=True)
        self.leave_networks()
        self.make_networks()
        shutil.rmtree(self.folder / "exec", ignore_errors=True)
        for path in (self.folder / "pid", self.folder / "docker.sock"):
            path.unlink(missing_ok=True)

    def make_networks(self) -> None:
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    def leave_networks(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)

    def docker(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", "--host", self.url, *words], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def load(self, *images: str) -> None:
        """Brings images over from the machine's own engine."""
        save = subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "--host", self.url, "load"], stdin=save.stdout, check=True, capture_output=True
        )
        assert save.wait() == 0

    def within(self, act: Callable[[], Value]) -> Value:
        """Does something in the namespace (a namespace is a thread's own, setns(2))."""
        found: list[Value] = []
        thread = Thread(target=lambda: (self.enter(), found.append(act())))
        thread.start()
        thread.join()
        return found[0]

    def enter(self) -> None:
        """Leads this thread into the namespace, for good."""
        with open(f"/run/netns/{self.name}") as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def _mine(self) -> list[int]:
        """dockerd's containerd and shims name the folder; what runs in containers descends from these."""
        found = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True).stdout
        rows = [line.split(maxsplit=2) for line in found.splitlines()]
        mine = {int(row[0]) for row in rows if len(row) > 2 and str(self.folder / "exec") in row[2]}
        while more := {int(row[0]) for row in rows if int(row[1]) in mine} - mine:
            mine |= more
        return sorted(mine)

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mounts").read_text().splitlines()
        return [line.split()[1] for line in lines if line.split()[1].startswith(f"{self.folder}/")]


@contextmanager
def private_daemon(folder: Path) -> Iterator[Daemon]:
    for tool in ("dockerd", "nsenter", "ip"):
        if shutil.which(tool) is None:
            pytest.skip(tool)
    if os.geteuid() != 0:
        pytest.skip("only root may start an engine")
    daemon = Daemon(folder)
    daemon.make_networks()
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.lose_power()
        daemon.leave_networks()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"within {seconds:g} s: {what}"
        time.sleep(0.2)
