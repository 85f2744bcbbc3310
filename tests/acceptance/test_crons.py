"""Crons on a real engine, as their users meet them: run now, seen, read, refused twice at once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import ECLUSE, Command, remove_images

PRODUCT = "horloge"
SECRET = "canary-5e1b70"
CRONS = """crons:
  nightly:
    schedule: "30 2 1 1 *"
    timezone: Europe/Paris
    command: [sh, -c, 'echo "greeting: $GREETING"; echo "token: $TOKEN"']
  slow: {schedule: "0 3 1 1 *", command: [sleep, "12"]}
  broken: {schedule: "0 4 1 1 *", command: [sh, -c, "echo about to fail; exit 3"]}
  paused: {schedule: "0 5 * * *", command: ["true"]}
"""

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    """A new product whose service has crons, deployed to test; taken down whatever happens."""
    root = tmp_path_factory.mktemp("crons") / PRODUCT
    root.mkdir()
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    command.ok("init", "--name", PRODUCT)
    declaration = root / "services" / "hello" / "service.yaml"
    text = declaration.read_text() + CRONS
    declaration.write_text(
        text.replace("  # SMTP_PASSWORD", "  TOKEN: {secret: true, required: true}\n  # S")
    )
    layer = root / "config" / "environments" / "test" / "services" / "hello.yaml"
    layer.parent.mkdir(parents=True, exist_ok=True)
    layer.write_text("run: {crons: {paused: {enabled: false, reason: the old side does it until July}}}\n")
    secrets = root.parent / "secrets.yaml"
    secrets.write_text(f"hello/TOKEN: {SECRET}\n")
    secrets.chmod(0o600)
    try:
        command.ok("build", "--quiet")
        command.ok("deploy", "test", "--secrets", str(secrets), "--yes")
        yield command
    finally:
        command("down", "test", "--volumes", "--yes")
        command("runner", "--stop")
        remove_images(PRODUCT)


def test_every_cron_is_listed_with_its_next_time_or_why_it_is_off(shop: Command) -> None:
    found = {item["name"]: item for item in shop.ok("crons", "test", "--json").json}
    assert set(found) == {"nightly", "slow", "broken", "paused"}
    assert found["nightly"]["next_in_zone"].endswith("-01-01T02:30:00.000+01:00")
    assert (found["paused"]["enabled"], found["paused"]["next"]) == (False, None)
    shown = shop.ok("crons", "test").out
    assert "hello/nightly" in shown
    assert "off: the old side does it until July" in shown
    assert "never" in shown


def test_a_cron_run_now_is_shown_with_its_output_and_without_its_secret(shop: Command) -> None:
    ran = shop.ok("run", "test", "hello", "nightly")
    (nightly,) = shop.ok("crons", "test", "hello/nightly", "--json").json
    (run,) = nightly["runs"]
    assert (run["state"], run["seconds"] is not None) == ("succeeded", True)
    logs = shop.ok("crons", "test", "hello/nightly", "--logs")
    assert "greeting: " in logs.out
    assert "token: " in logs.out
    texts = (
        ran.out,
        ran.err,
        logs.out,
        shop.ok("crons", "test", "hello/nightly", "--logs", "2", "--json").out,
    )
    assert not any(SECRET in text for text in texts)
    (row,) = [line for line in shop.ok("crons", "test").out.splitlines() if line.startswith("hello/nightly ")]
    assert "succeeded" in row
    assert row.split()[-1] == str(run["deployment"])


def test_a_cron_that_fails_says_so(shop: Command) -> None:
    assert shop("run", "test", "hello", "broken").code == 10
    (broken,) = shop.ok("crons", "test", "hello/broken", "--json").json
    assert broken["runs"][0]["state"] == "failed"
    assert "about to fail" in shop.ok("crons", "test", "hello/broken", "--logs").out


def test_the_same_cron_never_runs_twice_at_once(shop: Command) -> None:
    words = [str(ECLUSE), "-C", str(shop.root), "run", "test", "hello", "slow"]
    with subprocess.Popen(
        words, env=shop.environment({"ECLUSE_USER": "anna"}), stderr=subprocess.PIPE
    ) as first:
        try:
            deadline = time.monotonic() + 30
            while not shop.ok("crons", "test", "hello/slow", "--json").json[0]["runs"]:
                assert time.monotonic() < deadline
            refused = shop("run", "test", "hello", "slow")
            assert refused.code == 6
            assert "hello/slow " in refused.err
            assert "asked by anna at " in refused.err
            assert shop("run", "test", "hello", "nightly").code == 0
            first.communicate(timeout=90)
        finally:
            first.kill()
        assert first.returncode == 0


def test_history_shows_runs_when_asked(shop: Command) -> None:
    assert "hello/slow" not in shop.ok("history", "test").out
    assert "hello/slow" in shop.ok("history", "test", "--runs").out
    commands = [item["commands"] for item in shop.ok("history", "test", "--runs", "--json").json]
    assert ["hello/nightly"] in commands


def test_what_is_no_cron_is_said_with_the_nearest_name(shop: Command) -> None:
    answer = shop("crons", "test", "hello/nigthly", "--logs")
    assert (answer.code, answer.err) == (
        4,
        "error: there is no cron 'hello/nigthly' in test\nhint: did you mean hello/nightly?\n",
    )
    assert shop("crons", "test", "--logs").code == 2


def test_a_cron_switched_off_without_a_reason_is_refused(shop: Command) -> None:
    layer = Path("config/environments/test/services/hello.yaml")
    text = (shop.root / layer).read_text()
    (shop.root / layer).write_text("run: {crons: {nightly: {enabled: false}}}\n")
    answer = shop("plan", "test")
    (shop.root / layer).write_text(text)
    assert answer.code == 3
    assert f"{layer}:1: run.crons.nightly.enabled: is switched off in test without a reason\n" in answer.err
