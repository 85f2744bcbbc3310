"""A disk that fills up, before a deployment and in the middle of one: a small disk, with an engine of its own on it."""

from __future__ import annotations

import errno
import http.client
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

import pytest

from tests.acceptance.installed import Command
from tests.acceptance.private_daemon import Daemon, bring_images, private_daemon, wait_for

PRODUCT = "narrow"
ECLUSE_YAML = f"""\
product: {PRODUCT}
environments:
  test: {{engine: docker, domain: {PRODUCT}.localhost, tls: {{mode: "off"}}}}
"""
WAIT = """\
import os, time
def is_full():
    disk = os.statvfs("/")
    return disk.f_bavail * disk.f_frsize < 1 << 20
while os.environ["UNTIL_FULL"] and not is_full():
    time.sleep(0.1)
"""
"""In the middle of a deployment: it has begun, its disk was large enough then, and no replica is made yet."""
FRONT = """\
service: front
processes:
  web: {port: 8080, probe: {path: /health}, expose: {host: front}, replicas: 2, stop_grace: 1s}
tasks:
  prepare: {command: [python3, /wait.py], when: before, timeout: 2m}
config: {NAME: {default: front}, UNTIL_FULL: {default: ""}}
"""

pytestmark = pytest.mark.usefixtures("docker_engine")


@dataclass(frozen=True)
class Narrow:
    daemon: Daemon
    command: Command

    def wish(self, **config: str) -> None:
        settings = "".join(f"  {key}: {value!r}\n" for key, value in config.items())
        folder = self.command.root / "config" / "services"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "front.yaml").write_text(f"app:\n{settings}")

    def build(self, version: str) -> None:
        folder = self.command.root / "services" / "front"
        (folder / "Dockerfile").write_text(
            f"FROM ecluse-test/narrow\nCOPY wait.py /wait.py\nENV VERSION={version}\n"
        )
        self.command.ok("build", "--quiet", "--version", version)

    def answer(self) -> str:
        """What the front answers, empty for nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.command.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": f"front.{PRODUCT}.localhost"})
            response = connection.getresponse()
            return response.read().decode() if response.status == 200 else ""
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def answers(self) -> str:
        return self.daemon.within(self.answer)

    def free(self) -> int:
        return shutil.disk_usage(self.daemon.data).free

    @contextmanager
    def filled(self, *, but: int) -> Iterator[None]:
        """All but so many bytes are taken by something else."""
        filler = self.daemon.data / "filler"
        subprocess.run(["fallocate", "--length", str(self.free() - but), str(filler)], check=True)
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Nothing is left, and what is given back is taken at once."""
        over = Event()

        def take() -> None:
            with (self.daemon.data / "greedy").open("wb", buffering=0) as file:
                while not over.wait(0.02):
                    with until_full():
                        while True:
                            file.write(bytes(4096))

        thread = Thread(target=take)
        with self.filled(but=2 << 20):
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()
                (self.daemon.data / "greedy").unlink()


@contextmanager
def until_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Narrow]:
    with private_daemon(tmp_path_factory.mktemp("engine"), disk="4G") as daemon:
        root = tmp_path_factory.mktemp("product")
        folder = root / "services" / "front"
        folder.mkdir(parents=True)
        (folder / "service.yaml").write_text(FRONT)
        (folder / "wait.py").write_text(WAIT)
        (root / "ecluse.yaml").write_text(ECLUSE_YAML)
        bring_images(daemon, "ecluse-test/narrow", "haproxy")
        command = Command(
            root, tmp_path_factory.mktemp("state"), 8000,
            inside=daemon.inside, variables={"DOCKER_HOST": daemon.url},
        )  # fmt: skip
        found = Narrow(daemon, command)
        try:
            found.build("1")
            command.ok("deploy", "test", "--yes")
            yield found
        finally:
            # it is a process of that machine, and would take up what the machine left
            command("runner", "--stop")


def test_a_deployment_is_refused_while_the_disk_has_room_for_the_plan_only(narrow: Narrow) -> None:
    narrow.wish(NAME="another")
    with narrow.filled(but=64 << 20):
        answer = narrow.command("deploy", "test", "--yes")
        assert answer.code == 5, answer.err
        assert "are free where Docker keeps its data, and 1Gi are needed" in answer.err
        assert narrow.answers() == "front"
    narrow.command.ok("deploy", "test", "--yes")
    assert narrow.answers() == "another"


def test_a_disk_that_fills_up_in_the_middle_is_the_cause_and_what_ran_goes_on(narrow: Narrow) -> None:
    narrow.wish(NAME="before")
    narrow.command.ok("deploy", "test", "--yes")
    narrow.build("2")
    narrow.wish(NAME="after", UNTIL_FULL="yes")
    with deploying(narrow) as process:
        wait_for(lambda: has_begun(narrow, process), 120, "the deployment has begun")
        with narrow.full():
            _, told = process.communicate(timeout=300)
            assert process.returncode == 10, told
            assert "no disk space is left for front" in told
            assert "`docker system df` tells what takes it" in told
            assert {narrow.answers() for _ in range(10)} == {"before"}
    (last,) = narrow.command.ok("history", "test", "--json", "--limit", "1").json
    assert last["state"] == "restored"
    assert narrow.command.ok("why", "test", "--json").json["cause"]["kind"] == "no-space"
    narrow.wish(NAME="after")
    narrow.command.ok("deploy", "test", "front=2", "--yes")
    assert {narrow.answers() for _ in range(10)} == {"after"}
    assert "nothing to do" in narrow.command.ok("plan", "test").out


def has_begun(narrow: Narrow, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()
    return bool(narrow.daemon.docker("ps", "--quiet", "--filter", "label=ecluse.run=prepare"))


@contextmanager
def deploying(narrow: Narrow) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*narrow.command.words, "deploy", "test", "front=2", "--yes"], env=narrow.command.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
