"""What a person sees who gets something wrong: one clear error, its exit code, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.installed import Command

PRODUCT = "product: errors\nenvironments:\n  test: {engine: docker, domain: test.localhost}\n"
SERVICE = "service: api\nprocesses:\n  main: {}\nconfig:\n  TOKEN: {secret: true, required: true}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Command:
    root = tmp_path / "shop"
    (root / "services" / "api").mkdir(parents=True)
    (root / "ecluse.yaml").write_text(PRODUCT)
    (root / "services" / "api" / "service.yaml").write_text(SERVICE)
    (root / "services" / "api" / "Dockerfile").write_text("FROM debian:12-slim\n")
    return Command(root, tmp_path / "state", 18080)


def test_a_folder_that_is_no_product_is_said_with_what_starts_one(tmp_path: Path) -> None:
    answer = Command(tmp_path, tmp_path / "state", 18080)("status")
    assert answer.code == 4
    assert "ecluse init" in answer.err


def test_a_misspelt_command_is_a_usage_error(shop: Command) -> None:
    assert shop("deplyo", "test").code == 2


def test_an_unknown_environment_names_the_nearest(shop: Command) -> None:
    answer = shop("plan", "tset")
    assert (answer.code, answer.err) == (
        4,
        "error: there is no environment 'tset'\nhint: did you mean test?\n",
    )


def test_every_problem_of_the_files_is_said_at_once_with_its_line(shop: Command) -> None:
    (shop.root / "ecluse.yaml").write_text(PRODUCT + "regitsry: x\n")
    (shop.root / "services" / "api" / "service.yaml").write_text(SERVICE + "procesess: {}\n")
    answer = shop("check")
    assert answer.code == 3
    assert answer.err == (
        "ecluse.yaml:4: regitsry: unknown key\n"
        "  hint: did you mean registry?\n"
        "services/api/service.yaml:6: procesess: unknown key\n"
        "  hint: did you mean processes?\n"
        "error: 2 problems\n"
    )


def test_a_service_without_a_release_says_how_to_make_one(shop: Command, docker_engine: None) -> None:
    answer = shop("plan", "test")
    assert (answer.code, answer.err) == (4, "error: there is no release of api\nhint: ecluse build api\n")


def test_a_secrets_file_that_others_can_read_is_refused(shop: Command, tmp_path: Path) -> None:
    file = tmp_path / "secrets.yaml"
    file.write_text("TOKEN: canary\n")
    file.chmod(0o644)
    answer = shop("check", "--secrets", str(file))
    assert answer.code == 2
    assert f"hint: chmod 600 {file}" in answer.err
    assert "canary" not in answer.err


def test_an_engine_out_of_reach_is_said(shop: Command) -> None:
    answer = shop("status", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert answer.code == 9
    assert "cannot reach the Docker engine" in answer.err


def test_an_edge_port_that_is_none_is_said(shop: Command) -> None:
    assert shop("status", ECLUSE_EDGE_HTTP_PORT="eighty").code == 2


def test_an_acting_command_without_a_yes_and_without_a_terminal_changes_nothing(shop: Command) -> None:
    answer = shop("down", "test", "--volumes")
    assert answer.code in (0, 5)


def test_a_failing_test_makes_no_release(shop: Command, docker_engine: None) -> None:
    folder = shop.root / "services" / "api"
    folder.joinpath("service.yaml").write_text(
        SERVICE + "image: {tests: {target: test, commands: [[sh, -c, 'echo two is not one; exit 1']]}}\n"
    )
    folder.joinpath("Dockerfile").write_text("FROM debian:12-slim AS test\n")
    answer = shop("build")
    assert answer.code == 8
    assert "two is not one" in answer.err
    assert shop("releases", "--json").json == []
