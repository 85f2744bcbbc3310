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

from tests.acceptance.installed import docker

PROGRAM = Path(__file__).parents[1] / "integration" / "docker" / "image"
START_SECONDS = 90.0
_CLONE_NEWNET = 0x40000000
Value = TypeVar("Value")


class Daemon:
    """dockerd with everything of its own under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"ecl-{uuid4().hex[:8]}"
        self._process: subprocess.Popen[bytes] | None = None
        self._has_disk = False

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
        """dockerd's containerd and shims name the folder; what runs in containers stands on a file system in it."""
        listing = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,args="], capture_output=True, text=True
        ).stdout
        rows = [line.split(maxsplit=1) for line in listing.splitlines()]
        mine = {int(row[0]) for row in rows if len(row) > 1 and str(self.folder / "exec") in row[1]}
        return sorted(mine | {int(row[0]) for row in rows if self._stands_on(int(row[0]))})

    def _stands_on(self, pid: int) -> bool:
        """Is the root of this process a layer of ours? A container whose shim is gone is nobody's child."""
        try:
            mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        except OSError:
            return False
        return any(mount.split()[4] == "/" and f"{self.data}/" in mount for mount in mounts)

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mounts").read_text().splitlines()
        found = [line.split()[1] for line in lines if line.split()[1].startswith(f"{self.folder}/")]
        # the disk is no part of what runs: it outlives a power failure
        return [path for path in found if not self._has_disk or path != str(self.data)]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def limit_disk(self, size: str) -> None:
        """Puts all that it keeps on a disk of this size."""
        self.data.mkdir()
        image = self.folder / "disk"
        subprocess.run(["truncate", "--size", size, str(image)], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        done = subprocess.run(
            ["mount", "-o", "loop", str(image), str(self.data)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"a disk in a file cannot be mounted here: {done.stderr.strip()}")
        self._has_disk = True

    def leave_disk(self) -> None:
        """Gives the disk back, where it has one of its own."""
        while os.path.ismount(self.data):
            subprocess.run(["umount", "--lazy", str(self.data)], check=True)


@contextmanager
def private_daemon(folder: Path, *, disk: str | None = None) -> Iterator[Daemon]:
    """disk: the size of what it may fill, None for all that the machine has."""
    for tool in ("dockerd", "nsenter", "ip", *(("mkfs.ext4",) if disk else ())):
        if shutil.which(tool) is None:
            pytest.skip(tool)
    if os.geteuid() != 0:
        pytest.skip("only root may start an engine")
    daemon = Daemon(folder)
    if disk:
        daemon.limit_disk(disk)
    daemon.make_networks()
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.lose_power()
        daemon.leave_networks()
        daemon.leave_disk()
        shutil.rmtree(folder, ignore_errors=True)


def bring_images(daemon: Daemon, tag: str, *house: str) -> None:
    """The private engine reaches no registry and no package: what it needs is made by the machine's own.

    tag: what the tests' program is called. house: which images of ours."""
    build = ["docker", "build", "--quiet", "--network", "host", "--tag", tag, str(PROGRAM)]
    subprocess.run(build, check=True, capture_output=True)
    try:
        daemon.load(tag, *map(house_image, house))
    finally:
        docker("image", "rm", tag)


def house_image(name: str) -> str:
    import asyncio
    import tempfile

    from ecluse.engines.docker.client import Client
    from ecluse.engines.docker.house import House

    async def ensure() -> str:
        client = Client()
        with tempfile.TemporaryDirectory() as folder:
            try:
                return await House(client, Path(folder)).ensure(name)  # type: ignore[arg-type]
            finally:
                await client.close()

    return asyncio.run(ensure())


def wait_for(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"within {seconds:g} s: {what}"
        time.sleep(0.2)
