"""What is there the next morning: after Docker was stopped, was killed, or lost its machine, on an engine of its own."""

from __future__ import annotations

import http.client
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.acceptance.installed import Command
from tests.acceptance.private_daemon import Daemon, bring_images, private_daemon, wait_for

PRODUCT = "morning"
RECOVERY_SECONDS = 60.0
ECLUSE_YAML = f"""\
product: {PRODUCT}
environments:
  test: {{engine: docker, domain: {PRODUCT}.localhost, tls: {{mode: "off"}}}}
backing:
  sessions: {{kind: redis}}
"""
BACK = """\
service: back
processes: {web: {port: 8080, probe: {path: /health}}}
config: {NAME: {default: back}}
"""
FRONT = """\
service: front
processes:
  web:
    # ends when the database is not there yet, as many programs do
    command: [bash, -c, "</dev/tcp/sessions/6379 && exec python3 -u /program.py"]
    port: 8080
    probe: {path: /health}
    expose: {host: front}
uses: [back, sessions]
config: {NAME: {default: front}, DELAY: {default: "0"}}
"""
TOP = """\
service: top
processes: {web: {port: 8080, probe: {path: /health, interval: 200ms, deadline: 5s}}}
uses: [front]
config: {NAME: {default: top}, NEEDS: {default: "${service.front.url}/"}}
"""
"""Asks once, when it starts, and is never well when there was no answer."""

pytestmark = pytest.mark.usefixtures("docker_engine")


@dataclass(frozen=True)
class Morning:
    daemon: Daemon
    command: Command

    def ok(self, *words: str) -> str:
        return self.command.ok(*words).out

    def words(self, *words: str) -> list[str]:
        return [*self.command.words, *words]

    def wish(self, **config: str) -> None:
        settings = "".join(f"  {key}: {value!r}\n" for key, value in config.items())
        folder = self.command.root / "config" / "services"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "front.yaml").write_text(f"app:\n{settings}run: {{web: {{replicas: 2}}}}\n")

    def boot(self) -> None:
        """Loses the power, and starts what starts at boot: Docker, and the runner by its unit."""
        # the runner is a process of that machine too
        self.ok("runner", "--stop")
        self.daemon.lose_power()
        self.daemon.start()
        subprocess.Popen(
            self.words("runner"), env=self.command.environment(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def asks(self) -> int:
        """The status of one request to the front, 0 for none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.command.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": f"front.{PRODUCT}.localhost"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def addresses(self) -> dict[str, str]:
        """Container → its address in each of its networks."""
        names = self.daemon.docker("ps", "--all", "--format", "{{.Names}}").split()
        form = (
            "{{.Name}} {{range .NetworkSettings.Networks}}{{.IPAMConfig.IPv4Address}}={{.IPAddress}} {{end}}"
        )
        rows = self.daemon.docker("inspect", "--format", form, *names).splitlines()
        return {row.split()[0]: " ".join(sorted(row.split()[1:])) for row in rows}

    def is_well(self) -> bool:
        (status,) = self.command.ok("status", "test", "--json").json
        replicas = [item["state"] for service in status["services"] for item in service["replicas"]]
        backing = [item["state"] for item in status["backing"]]
        return (
            set(replicas + backing) == {"ready"}
            and len(replicas) == 4
            and self.daemon.within(self.asks) == 200
        )

    def wait_well(self) -> None:
        try:
            wait_for(self.is_well, RECOVERY_SECONDS, "everything is ready again")
        except AssertionError as error:
            listed = self.daemon.docker("ps", "--all", "--format", "{{.Names}} {{.Status}}")
            raise AssertionError(f"{error}\n{self.ok('status', 'test')}\n{listed}") from error

    def last(self) -> str:
        state: str = self.command.ok("history", "test", "--json", "--limit", "1").json[0]["state"]
        return state


@dataclass
class Load:
    """One request after another, each with the moment when it was sent and its status."""

    morning: Morning
    answers: list[tuple[float, int]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Load]:
        over = threading.Event()

        def ask() -> None:
            self.morning.daemon.enter()
            while not over.wait(0.05):
                sent = time.monotonic()
                self.answers.append((sent, self.morning.asks()))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    with private_daemon(tmp_path_factory.mktemp("engine")) as daemon:
        root = tmp_path_factory.mktemp("product")
        for service, text in (("back", BACK), ("front", FRONT), ("top", TOP)):
            folder = root / "services" / service
            folder.mkdir(parents=True)
            (folder / "service.yaml").write_text(text)
            (folder / "Dockerfile").write_text("FROM ecluse-test/morning\n")
        (root / "ecluse.yaml").write_text(ECLUSE_YAML)
        bring_images(daemon, "ecluse-test/morning", "haproxy", "redis")
        command = Command(
            root,
            tmp_path_factory.mktemp("state"),
            8000,
            inside=daemon.inside,
            variables={"DOCKER_HOST": daemon.url},
        )
        found = Morning(daemon, command)
        found.wish(NAME="front")
        found.ok("build", "--quiet", "--version", "1")
        found.ok("deploy", "test", "--yes")
        yield found
        command("down", "test", "--volumes", "--yes")
        command("runner", "--stop")


def test_docker_that_is_stopped_and_started_brings_everything_back_with_its_addresses(
    morning: Morning,
) -> None:
    morning.wait_well()
    before = morning.addresses()
    with Load(morning).running() as load:
        time.sleep(1)
        stopped = time.monotonic()
        morning.daemon.stop()
        morning.daemon.start()
        morning.wait_well()
        well = time.monotonic()
        wait_for(lambda: load.answers[-1][0] > well + 2, 30, "more requests")
    assert morning.addresses() == before
    lost = [at for at, status in load.answers if status != 200]
    assert all(stopped - 5 < at < well for at in lost), "lost only while Docker was away"
    assert "nothing to do" in morning.ok("plan", "test")


def test_a_machine_that_lost_its_power_comes_back_as_it_was(morning: Morning) -> None:
    morning.wait_well()
    before = morning.addresses()
    morning.boot()
    morning.wait_well()
    assert morning.addresses() == before
    assert "nothing to do" in morning.ok("plan", "test")


def test_what_needs_another_at_its_start_gets_it_when_everything_starts_at_once(morning: Morning) -> None:
    morning.wait_well()
    morning.wish(NAME="front that takes its time", DELAY="3")
    morning.ok("deploy", "test", "--yes")
    morning.boot()
    morning.wait_well()
    (top,) = (name for name in morning.addresses() if "-top-" in name)
    log = morning.daemon.docker("logs", top.lstrip("/")).splitlines()
    assert [line for line in log[-2:] if "does without" in line] == [], "the last start found what it needs"
    assert any("does without" in line for line in log), "and an earlier one did not"


def test_containers_that_come_back_in_the_other_order_keep_their_addresses(morning: Morning) -> None:
    morning.wait_well()
    before = morning.addresses()
    front = sorted(name for name in before if "-front-" in name)
    assert len(front) == 2
    morning.daemon.docker("stop", *front)
    for name in reversed(front):
        morning.daemon.docker("start", name.lstrip("/"))
    morning.wait_well()
    assert morning.addresses() == before


@pytest.mark.parametrize("line", [3, 8])
def test_docker_that_is_killed_in_the_middle_of_a_deployment_ends_it_when_it_is_back(
    morning: Morning, line: int
) -> None:
    morning.wait_well()
    morning.wish(NAME=f"front of line {line}", DELAY="1")
    with deploying(morning) as process:
        assert process.stderr is not None
        shown = [process.stderr.readline() for _ in range(line)]
        morning.daemon.kill()
        time.sleep(2)
        morning.daemon.start()
        rest = process.stderr.read()
        code = process.wait(timeout=300)
    assert (code, morning.last()) in ((0, "succeeded"), (10, "restored")), "".join(shown) + rest
    morning.wait_well()
    if code:
        morning.ok("deploy", "test", "--yes")
        morning.wait_well()
    assert "nothing to do" in morning.ok("plan", "test")


def test_docker_that_is_stopped_in_the_middle_of_a_deployment_ends_it_when_it_is_back(
    morning: Morning,
) -> None:
    morning.wait_well()
    morning.wish(NAME="front once more", DELAY="2")
    with deploying(morning) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if "probing" in text:
                break
        morning.daemon.stop()
        morning.daemon.start()
        rest = process.stderr.read()
        code = process.wait(timeout=300)
    assert (code, morning.last()) in ((0, "succeeded"), (10, "restored")), rest
    morning.wait_well()
    morning.ok("deploy", "test", "--yes")
    morning.wait_well()
    assert "nothing to do" in morning.ok("plan", "test")


@contextmanager
def deploying(morning: Morning) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        morning.words("deploy", "test", "--yes"), env=morning.command.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
