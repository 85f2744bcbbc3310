"""The main job on the example product, as its users do it. One story, told in order."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.customer import Customer, morning
from tests.acceptance.installed import ECLUSE, Command, docker, git, remove_images

EXAMPLE = Path(__file__).parents[2] / "examples" / "comptoir"
SERVICES = {"legacy", "accounting", "invoicing", "payroll", "admin"}
PRODUCT = "quai"  # a name of its own: a demo on the same machine is left alone
PASSWORD = "canary-1f9c2d"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def comptoir(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    """A clone of the example with a state of its own; taken down whatever happens."""
    root = tmp_path_factory.mktemp("comptoir") / "product"
    shutil.copytree(EXAMPLE, root)
    description = root / "ecluse.yaml"
    description.write_text(description.read_text().replace("product: comptoir", f"product: {PRODUCT}"))
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    secrets = root.parent / "secrets.yaml"
    secrets.write_text(f"legacy/DEMO_PASSWORD: {PASSWORD}\n")
    secrets.chmod(0o600)
    yield command
    for environment in ("prod", "test"):
        command("down", environment, "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def secrets(comptoir: Command) -> str:
    return str(comptoir.root.parent / "secrets.yaml")


def images(comptoir: Command, environment: str) -> dict[str, str]:
    """Service → image id of what really runs, asked from the engine and not from Écluse."""
    names = docker(
        "ps", "--filter", f"label=ecluse.product={PRODUCT}",
        "--filter", f"label=ecluse.environment={environment}", "--filter", "label=ecluse.kind=replica",
        "--format", '{{.ID}} {{.Label "ecluse.service"}}',
    )  # fmt: skip
    pairs = [line.split() for line in names.splitlines()]
    return {service: docker("inspect", "--format", "{{.Image}}", container) for container, service in pairs}


def test_the_services_are_built_and_tested_once(comptoir: Command) -> None:
    built = comptoir.ok("build", "--quiet", "--json", timeout=1800)
    assert {item["service"] for item in built.json} == SERVICES
    again = comptoir.ok("build", "--quiet", "--json")
    assert {item["stage"] for item in again.json} == {"unchanged"}
    releases = comptoir.ok("releases", "--json").json
    assert {item["service"] for item in releases} >= SERVICES
    assert not releases[0]["dirty"]


def test_a_plan_shows_what_would_come_and_writes_nothing(comptoir: Command) -> None:
    plan = comptoir.ok("plan", "test", "--secrets", secrets(comptoir))
    assert "+ create accounting/web" in plan.out
    assert "config DEMO_PASSWORD" in plan.out
    assert PASSWORD not in plan.out + plan.err
    assert not (comptoir.state / PRODUCT).exists()
    assert (
        docker(
            "ps",
            "-aq",
            "--filter",
            f"label=ecluse.product={PRODUCT}",
            "--filter",
            "label=ecluse.environment=test",
        )
        == ""
    )


def test_a_required_secret_that_nobody_gave_is_said_with_its_place(comptoir: Command) -> None:
    answer = comptoir("plan", "test")
    assert answer.code == 3
    assert "DEMO_PASSWORD" in answer.err


def test_test_is_deployed_and_a_customer_can_work(comptoir: Command) -> None:
    deployed = comptoir.ok("deploy", "test", "--secrets", secrets(comptoir), "--yes")
    assert PASSWORD not in deployed.out + deployed.err
    morning("test.localhost", comptoir.port, PASSWORD, "1250,00")


def test_what_was_deployed_needs_nothing_more(comptoir: Command) -> None:
    assert comptoir.ok("plan", "test").out.strip() == "test: nothing to do (5 services as wanted)"


def test_the_worker_does_its_work_and_its_log_can_be_read(comptoir: Command) -> None:
    lines = comptoir.ok("logs", "test", "invoicing/worker", "--tail", "50").out
    assert "worker" in lines


def test_status_lists_replicas_and_addresses(comptoir: Command) -> None:
    (status,) = comptoir.ok("status", "test", "--json").json
    found = {item["service"]: item for item in status["services"]}
    assert set(found) == SERVICES
    assert {replica["state"] for item in found.values() for replica in item["replicas"]} == {"ready"}
    assert found["admin"]["url"] == f"http://admin.test.localhost:{comptoir.port}"


def test_a_command_runs_inside_a_replica_with_its_exit_code(comptoir: Command) -> None:
    answer = comptoir("exec", "test", "accounting", "--", "sh", "-c", "echo here; exit 7")
    assert (answer.code, answer.out.strip()) == (7, "here")


def test_the_tools_of_the_test_image_come_beside_a_replica_and_go_again(comptoir: Command) -> None:
    look = 'command -v phpunit; php -r \'echo file_get_contents("http://127.0.0.1:8080/health"), getenv("COMPANY_NAME");\''
    answer = comptoir.ok("debug", "test", "accounting", "--", "sh", "-c", look)
    assert "phpunit" in answer.out
    assert '"service":"accounting"' in answer.out.replace(" ", "")
    assert answer.out.rstrip().endswith("Comptoir")
    assert (
        docker(
            "ps", "-aq", "--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.run=debug"
        )
        == ""
    )


def test_a_cron_and_a_task_run_when_asked(comptoir: Command) -> None:
    comptoir.ok("run", "test", "invoicing", "reminders")
    comptoir.ok("run", "test", "accounting", "migrate")
    assert comptoir("run", "test", "invoicing", "remindres").code == 4


def test_prod_takes_only_what_is_known_good_in_test(comptoir: Command) -> None:
    readme = comptoir.root / "services" / "payroll" / "payroll" / "__init__.py"
    readme.write_text(readme.read_text() + "\n# changed\n")
    comptoir.ok("build", "payroll", "--quiet")
    refused = comptoir("deploy", "prod", "payroll=latest", "--secrets", secrets(comptoir), "--yes")
    assert refused.code == 5
    assert "is not what is known good in test" in refused.err
    assert "was built from uncommitted changes" in refused.err
    git(comptoir.root, "checkout", "--", "services")


def test_what_is_known_good_is_promoted_as_the_same_images(comptoir: Command) -> None:
    comptoir.ok("promote", "test", "prod", "--secrets", secrets(comptoir), "--yes")
    morning("prod.localhost", comptoir.port, PASSWORD, "800,00")
    assert set(images(comptoir, "prod")) == SERVICES
    assert images(comptoir, "prod") == images(comptoir, "test")


def test_the_environments_do_not_see_each_other(comptoir: Command) -> None:
    entries = str(Customer("prod.localhost", comptoir.port).read("accounting", "/entries"))
    assert "Maison 800 00" in entries
    assert "Maison 1250 00" not in entries


def test_another_product_shares_the_machine_and_its_edge(comptoir: Command, tmp_path: Path) -> None:
    shop = Command(tmp_path / "shop", comptoir.state, comptoir.port)
    shop.root.mkdir()
    shop.ok("init", ".")
    shop.ok("build", "--quiet")
    before = images(comptoir, "test")
    try:
        shop.ok("deploy", "test", "--yes")
        status, page = Customer("test.localhost", comptoir.port).get("hello", "/")
        assert (status, "hello" in page.lower()) == (200, True)
        morning("test.localhost", comptoir.port, PASSWORD, "45,00")
    finally:
        shop.ok("down", "test", "--volumes", "--yes")
        shop("runner", "--stop")
        remove_images("shop")
    assert images(comptoir, "test") == before
    morning("test.localhost", comptoir.port, PASSWORD, "46,00")


def test_a_killed_runner_leaves_nothing_half_done(comptoir: Command) -> None:
    layer = comptoir.root / "config" / "environments" / "test" / "common.yaml"
    layer.write_text(layer.read_text().replace("app:", "app:\n  COMPANY_NAME: Comptoir de nuit", 1))
    watching = subprocess.Popen(
        [str(ECLUSE), "-C", str(comptoir.root), "deploy", "test", "--yes"],
        env=comptoir.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stderr is not None
    for line in watching.stderr:
        if "started: replace" in line:
            break
    runner = json.loads((comptoir.state / PRODUCT / "runner.json").read_text())["pid"]
    os.kill(runner, signal.SIGKILL)
    _, rest = watching.communicate(timeout=300)
    assert watching.returncode == 0, rest
    assert comptoir.ok("plan", "test").out.strip() == "test: nothing to do (5 services as wanted)"
    morning("test.localhost", comptoir.port, PASSWORD, "47,00")


def test_a_new_version_replaces_only_its_service_and_can_be_rolled_back(comptoir: Command) -> None:
    before = images(comptoir, "test")
    source = comptoir.root / "services" / "accounting" / "Dockerfile"
    source.write_text(source.read_text() + "\nENV ECLUSE_TEST_MARK=2\n")
    git(comptoir.root, "commit", "--all", "--quiet", "--message", "Mark accounting")
    comptoir.ok("build", "accounting", "--quiet")
    unasked = comptoir.ok("plan", "test")
    assert "nothing to do" in unasked.out
    assert "accounting=latest" in unasked.err
    plan = comptoir.ok("plan", "test", "accounting=latest")
    assert "replace accounting/web" in plan.out
    assert "newer" not in plan.err
    comptoir.ok("deploy", "test", "accounting=latest", "--yes")
    after = images(comptoir, "test")
    assert {name for name in SERVICES if before[name] != after[name]} == {"accounting"}
    comptoir.ok("rollback", "test", "--yes")
    assert images(comptoir, "test") == before
    kinds = [item["kind"] for item in comptoir.ok("history", "test", "--json").json]
    assert kinds[:2] == ["rollback", "deploy"]


def test_a_bad_release_is_restored_and_says_why(comptoir: Command) -> None:
    before = images(comptoir, "test")
    source = comptoir.root / "services" / "payroll" / "Dockerfile"
    kept = source.read_text()
    source.write_text(kept + '\nCMD ["sh", "-c", "echo the ledger is closed >&2; exit 3"]\n')
    comptoir.ok("build", "payroll", "--quiet", "--version", "bad")
    failed = comptoir("deploy", "test", "payroll=bad", "--yes")
    source.write_text(kept)
    assert failed.code == 10
    assert "exit" in failed.err
    assert "the ledger is closed" in failed.err
    assert images(comptoir, "test") == before
    assert comptoir.ok("history", "test", "--json", "--limit", "1").json[0]["state"] == "restored"


def test_the_lockfile_says_what_is_known_good(comptoir: Command) -> None:
    lock = (comptoir.root / "environments" / "prod.lock.yaml").read_text()
    for image in images(comptoir, "prod").values():
        assert image in lock
    assert PASSWORD not in lock


def test_the_secret_is_nowhere_in_the_state(comptoir: Command) -> None:
    for path in (comptoir.state / PRODUCT).rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path


def test_an_environment_is_taken_down_and_its_data_stays_until_it_is_named(comptoir: Command) -> None:
    comptoir.ok("down", "prod", "--yes")
    assert images(comptoir, "prod") == {}
    assert docker("volume", "ls", "-q", "--filter", "label=ecluse.environment=prod") != ""
    morning("test.localhost", comptoir.port, PASSWORD, "99,00")
    comptoir.ok("promote", "test", "prod", "--secrets", secrets(comptoir), "--yes")
    assert "Maison 800 00" in str(Customer("prod.localhost", comptoir.port).read("accounting", "/entries"))


def test_nothing_is_left_behind(comptoir: Command) -> None:
    for environment in ("prod", "test"):
        comptoir.ok("down", environment, "--volumes", "--yes")
    mark = ["--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.environment"]
    assert docker("ps", "-aq", *mark, "--filter", f"publish={comptoir.port}") == ""
    for environment in ("test", "prod"):
        scope = ["--filter", f"name=ecluse-{PRODUCT}-{environment}"]
        assert docker("volume", "ls", "-q", *scope) == ""
        assert docker("network", "ls", "-q", *scope) == ""
    assert docker("ps", "-q", "--filter", f"publish={comptoir.port}") == ""
