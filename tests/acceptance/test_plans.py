"""Saved plans and guards, by the installed command: what is applied is what was reviewed, and what is strange is
asked twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import Command, remove_images

PRODUCT = "reviewed"
SECRET = "correct-horse-battery-staple"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    """Three small services in an environment, `api` with an irreversible task in its version 2."""
    root = tmp_path_factory.mktemp("reviewed")
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    (root / "ecluse.yaml").write_text(
        f"product: {PRODUCT}\nenvironments:\n  test: {{engine: docker, domain: reviewed.localhost}}\n"
    )
    secrets = root / "secrets.yaml"
    secrets.write_text(f"api/TOKEN: {SECRET}\n")
    secrets.chmod(0o600)
    for name in ("api", "web", "old"):
        describe(command, name)
        command.ok("build", name, "--quiet", "--version", "1")
    command.ok("deploy", "test", "--secrets", str(secrets), "--yes", ECLUSE_USER="alice")
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def describe(command: Command, name: str, *, version: str = "1", irreversible: bool = False) -> None:
    folder = command.root / "services" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM debian:12-slim\nRUN echo {version} > /version\nUSER 33\n")
    task = {"command": ["sh", "-c", "true"], "when": "before", "reversible": False}
    process = {"command": ["sleep", "900"], "probe": {"command": ["true"]}, "stop_grace": "2s"}
    service: dict[str, object] = {
        "service": name,
        "processes": {"main": process},
        "tasks": {"migrate": task} if irreversible else {},
        "config": {"LEVEL": {"default": "info"}},
    }
    if name == "api":
        service["config"] = {"LEVEL": {"default": "info"}, "TOKEN": {"secret": True, "required": True}}
    (folder / "service.yaml").write_text(json.dumps(service))


def set_level(command: Command, service: str, level: str) -> None:
    folder = command.root / "config" / "services"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{service}.yaml").write_text(f"app: {{LEVEL: {level}}}\n")


def replica(command: Command, service: str) -> str:
    (status,) = command.ok("status", "test", "--json").json
    (found,) = next(item["replicas"] for item in status["services"] if item["service"] == service)
    return str(found["id"])


def saved(command: Command, *services: str) -> Path:
    path = command.root / "plan.json"
    path.unlink(missing_ok=True)
    command.ok("plan", "test", *services, "--out", str(path))
    return path


def test_a_saved_plan_is_applied_as_it_was_reviewed_and_only_once(shop: Command) -> None:
    set_level(shop, "api", "debug")
    path = saved(shop, "api")
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET not in path.read_text()
    set_level(shop, "api", "trace")
    set_level(shop, "web", "debug")
    shop.ok("deploy", "test", "web", "--yes")
    shop.ok("deploy", "test", "--plan", str(path), "--yes")
    value = shop.ok("exec", "test", "api", "--", "sh", "-c", "echo $LEVEL $TOKEN").out
    assert value.split() == ["debug", SECRET]
    again = shop("deploy", "test", "--plan", str(path), "--yes")
    assert again.code == 5, again.err
    assert "  - replace api/main: nothing is left to do, it is as the plan would make it" in again.err


def test_drift_invalidates_the_plan_change_by_change(shop: Command) -> None:
    set_level(shop, "api", "warn")
    set_level(shop, "web", "warn")
    path = saved(shop, "api", "web")
    before = replica(shop, "web")
    subprocess.run(["docker", "rm", "--force", replica(shop, "api")], check=True, capture_output=True)
    answer = shop("deploy", "test", "--plan", str(path), "--yes")
    assert answer.code == 5, answer.err
    assert "  - replace api/main: it would be create now" in answer.err
    assert "web/main" not in answer.err
    assert replica(shop, "web") == before
    shop.ok("deploy", "test", "api", "web", "--yes")


def test_a_file_that_was_changed_or_is_something_else_is_refused(shop: Command) -> None:
    set_level(shop, "api", "error")
    path = saved(shop, "api")
    path.write_text(path.read_text().replace('"error"', '"trace"'))
    assert "its seal does not hold" in shop("deploy", "test", "--plan", str(path), "--yes").err
    path.write_text("services: {}\n")
    answer = shop("deploy", "test", "--plan", str(path), "--yes")
    assert (answer.code, "is not a saved plan" in answer.err) == (2, True)
    assert shop("deploy", "test", "--plan", str(path / "no"), "--yes").code == 2
    assert shop("deploy", "test", "api", "--plan", str(path), "--yes").code == 2


def test_a_release_older_than_its_data_is_asked_and_so_is_a_rollback(shop: Command) -> None:
    describe(shop, "api", version="2", irreversible=True)
    shop.ok("build", "api", "--quiet", "--version", "2")
    shop.ok("deploy", "test", "api=2", "--yes", ECLUSE_USER="bob")
    older = shop("deploy", "test", "api=1", "--yes")
    assert older.code == 5, older.err
    assert "api 1 is older than the release whose task migrate changed the data in deployment" in older.err
    assert "--accept older-release" in older.err
    back = shop("rollback", "test", "--yes")
    assert back.code == 5, back.err
    assert "(deploy by bob, " in back.out
    assert "takes back deployment " in back.out
    assert "--accept irreversible" in back.err
    shop.ok("rollback", "test", "--yes", "--accept", "irreversible")
    (status,) = shop.ok("status", "test", "--json").json
    assert {item["service"]: item["version"] for item in status["services"]}["api"] == "1"


def test_another_folder_under_the_same_name_is_asked(shop: Command, tmp_path: Path) -> None:
    shutil.copytree(shop.root, tmp_path / "copy")
    elsewhere = Command(tmp_path / "copy", shop.state, shop.port)
    set_level(elsewhere, "web", "elsewhere")
    answer = elsewhere("deploy", "test", "web", "--yes")
    assert answer.code == 5, answer.err
    assert f"this environment was last deployed from {shop.root}" in answer.err
    assert elsewhere("down", "test", "--yes").code == 5
    elsewhere.ok("deploy", "test", "web", "--yes", "--accept", "other-folder")
    shop.ok("deploy", "test", "web", "--yes", "--accept", "other-folder")


def test_another_engine_is_asked(shop: Command) -> None:
    """There is one engine here: it is the record that is told of another."""
    set_level(shop, "web", "engine")
    with sqlite3.connect(shop.state / PRODUCT / "state.sqlite", timeout=30) as record:
        rows = record.execute("SELECT rowid, circumstances FROM environments").fetchall()
        for row, text in rows:
            facts = json.loads(text) | {"engine": "ABCD:EFGH"}
            record.execute(
                "UPDATE environments SET circumstances = ? WHERE rowid = ?", (json.dumps(facts), row)
            )
    answer = shop("deploy", "test", "web", "--yes")
    assert answer.code == 5, answer.err
    assert "this is not the engine of last time (it was ABCD:EFGH, this is " in answer.err
    shop.ok("deploy", "test", "web", "--yes", "--accept", "other-engine")


def test_taking_away_most_of_it_is_asked_and_so_is_an_empty_product(shop: Command) -> None:
    services, aside = shop.root / "services", shop.root / "aside"
    aside.mkdir()
    shutil.rmtree(shop.root / "config", ignore_errors=True)
    for name in ("web", "old"):
        (services / name).rename(aside / name)
    answer = shop("deploy", "test", "--all", "--yes")
    assert answer.code == 5, answer.err
    assert "2 of the 3 processes that run here would go" in answer.err
    (services / "api").rename(aside / "api")
    empty = shop("deploy", "test", "--yes")
    assert empty.code == 5, empty.err
    assert "the product has no services, and 3 processes would go" in empty.err
    for name in ("web", "old", "api"):
        (aside / name).rename(services / name)
    (status,) = shop.ok("status", "test", "--json").json
    assert len(status["services"]) == 3
