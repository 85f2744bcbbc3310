"""How acting commands end, and the exit code of each end, on a service that can be told to misbehave."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import ECLUSE, Command, remove_images

PRODUCT = "ends"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    root = tmp_path_factory.mktemp("ends")
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    (root / "services" / "clock").mkdir(parents=True)
    (root / "services" / "clock" / "Dockerfile").write_text("FROM debian:12-slim\nUSER 33\n")
    (root / "ecluse.yaml").write_text(
        f"product: {PRODUCT}\nenvironments:\n  test: {{engine: docker, domain: ends.localhost}}\n"
    )
    describe(command, "true")
    command.ok("build", "--quiet", "--version", "1")
    command.ok("deploy", "test", "--yes")
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def describe(command: Command, probe: str, words: str = "sleep 900", *, deadline: str = "60s") -> None:
    service = {
        "service": "clock",
        "processes": {
            "main": {
                "command": ["sh", "-c", f"echo started; {words}"],
                "probe": {"command": ["sh", "-c", probe], "deadline": deadline},
                "stop_grace": "2s",
            }
        },
        "tasks": {"fail": {"command": ["sh", "-c", "echo the disk is full >&2; exit 4"]}},
        "config": {"LEVEL": {"default": probe}},
    }
    (command.root / "services" / "clock" / "service.yaml").write_text(json.dumps(service))


def state(command: Command) -> str:
    latest: str = command.ok("history", "test", "--json", "--limit", "1").json[0]["state"]
    return latest


def test_a_deployment_that_hangs_is_cancelled_and_what_was_there_goes_on(ends: Command) -> None:
    describe(ends, "false")
    ends.ok("build", "--quiet", "--version", "hangs")
    watching = subprocess.Popen(
        [str(ECLUSE), "-C", str(ends.root), "deploy", "test", "clock=hangs", "--yes"],
        env=ends.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stderr is not None
    for line in watching.stderr:
        if "probing" in line:
            break
    ends.ok("cancel", "test")
    _, rest = watching.communicate(timeout=60)
    assert watching.returncode == 12, rest
    assert state(ends) == "cancelled"
    (status,) = ends.ok("status", "test", "--json").json
    assert [(item["version"], item["state"]) for item in status["services"][0]["replicas"]] == [
        ("1", "ready")
    ]


def test_a_release_that_exits_is_restored_and_ends_with_10(ends: Command) -> None:
    describe(ends, "true", "echo no ledger; exit 3")
    ends.ok("build", "--quiet", "--version", "exits")
    answer = ends("deploy", "test", "clock=exits", "--yes")
    assert answer.code == 10
    assert "no ledger" in answer.err
    assert state(ends) == "restored"


def test_a_task_that_fails_ends_with_10_and_shows_what_it_said(ends: Command) -> None:
    answer = ends("run", "test", "clock", "fail")
    assert answer.code == 10
    assert "the disk is full" in answer.err


def test_a_second_runner_is_refused_with_6(ends: Command) -> None:
    ends("run", "test", "clock", "fail")
    assert ends("runner").code == 6


def test_two_deployments_at_once_wait_for_each_other(ends: Command) -> None:
    codes: list[int] = []

    def deploy(version: str) -> None:
        codes.append(ends("deploy", "test", f"clock={version}", "--yes").code)

    describe(ends, "true # two")
    ends.ok("build", "--quiet", "--version", "2")
    threads = [threading.Thread(target=deploy, args=(version,)) for version in ("2", "2", "1")]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    assert ends.ok("plan", "test").out.startswith("test: nothing to do")


def test_a_release_that_fails_is_told_why_kept_out_and_let_in_again(ends: Command) -> None:
    dockerfile = ends.root / "services" / "clock" / "Dockerfile"
    plain = dockerfile.read_text()
    dockerfile.write_text(plain.replace("USER", "RUN touch /broken\nUSER"))
    describe(ends, "true", "echo no such table >&2; exit 3")
    ends.ok("build", "--quiet", "--version", "broken")
    answer = ends("deploy", "test", "clock=broken", "--yes")
    assert answer.code == 10, answer.err
    assert "no such table" in answer.err
    assert "    restored to clock " in answer.err
    card = ends.ok("why", "test").out
    assert "why: clock/main exited with code 3" in card
    assert "    | no such table" in card
    assert " → broken" in card
    number = ends.ok("why", "test", "--json").json["deployment"]
    assert ends.ok("why", "test", str(number)).out == card
    refused = ends("deploy", "test", "clock=broken", "--yes")
    assert refused.code == 5, refused.err
    assert (
        f"clock broken is quarantined here since deployment {number}: clock/main exited with code 3"
        in refused.err
    )
    assert "clock/main exited with code 3" in ends.ok("quarantine", "test").out
    ends.ok("quarantine", "test", "--lift", "clock")
    assert ends("deploy", "test", "clock=broken", "--yes").code == 10
    dockerfile.write_text(plain)


def test_a_bad_service_yaml_on_an_unchanged_image_is_kept_out_and_a_mended_one_is_not(ends: Command) -> None:
    describe(ends, "exit 1 # asks wrongly", deadline="3s")
    ends.ok("build", "--quiet", "--version", "asks-wrongly")
    answer = ends("deploy", "test", "clock=asks-wrongly", "--yes")
    assert answer.code == 10, answer.err
    assert "look at what changed in its service.yaml or templates" in answer.err
    refused = ends("deploy", "test", "clock=asks-wrongly", "--yes")
    assert refused.code == 5, refused.err
    assert "clock asks-wrongly is quarantined here since deployment" in refused.err
    describe(ends, "true # mended")
    ends.ok("build", "--quiet", "--version", "mended")
    ends.ok("deploy", "test", "clock=mended", "--yes")
    ends.ok("quarantine", "test", "--lift", "clock")


def test_following_logs_shows_lines_as_they_come(ends: Command) -> None:
    describe(ends, "true # three", "while :; do date +%s%N; sleep 0.2; done")
    ends.ok("build", "--quiet", "--version", "3")
    ends.ok("deploy", "test", "clock=3", "--yes")
    reading = subprocess.Popen(
        [str(ECLUSE), "-C", str(ends.root), "logs", "test", "clock", "-f", "--since", "5s"],
        env=ends.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reading.stdout is not None
    lines = [reading.stdout.readline() for _ in range(8)]
    reading.terminate()
    reading.wait(timeout=10)
    assert all(" | " in line for line in lines)
    assert len(set(lines)) == 8


def test_what_cannot_fit_is_refused_with_the_figures(ends: Command) -> None:
    layer = ends.root / "config" / "services" / "clock.yaml"
    layer.parent.mkdir(parents=True, exist_ok=True)
    layer.write_text("run: {main: {memory: 900Gi}}\n")
    answer = ends("deploy", "test", "--yes")
    layer.unlink()
    assert answer.code == 5
    assert "  - memory: the plan needs 900Gi, other containers may take " in answer.err


def test_the_state_holds_no_file_that_others_can_read(ends: Command) -> None:
    root: Path = ends.state / PRODUCT
    assert root.stat().st_mode & 0o077 == 0
