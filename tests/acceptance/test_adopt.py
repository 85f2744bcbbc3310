"""What runs is taken over when the record of it is gone, under load and without a restart."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.installed import Command, docker, remove_images

PRODUCT = f"adopt{uuid4().hex[:6]}"
SECRET = 's3cr=t of $a "service"'
IN_A_FILE = 'é \\ "of" a file'
IN_A_TEMPLATE = "in a template"
PROGRAM = Path(__file__).parents[1] / "integration" / "docker" / "image"
ECLUSE_YAML = f"""\
product: {PRODUCT}
environments:
  test: {{engine: docker, domain: {PRODUCT}.localhost}}
backing:
  sessions: {{kind: redis}}
"""
FRONT = """\
service: front
processes:
  web: {port: 8080, probe: {path: /health}, expose: {host: front}}
  worker: {command: [sleep, infinity]}
tasks:
  migrate: {command: [sh, -c, "echo migrated"], when: before}
crons:
  nightly: {schedule: "0 3 * * *", command: ["true"]}
uses: [sessions]
config:
  SESSIONS_URL: {type: url, default: "${backing.sessions.url}"}
  TOKEN: {secret: true, required: true}
"""
ADMIN = """\
service: admin
processes: {web: {port: 8080, probe: {path: /health}, expose: {host: admin}}}
uses: [front]
config:
  NAME: {default: admin}
  KEY: {secret: true, required: true}
deliver: {path: /srv/admin/settings.json, format: json}
"""
REPORTS = """\
service: reports
processes: {worker: {command: [sleep, infinity]}}
config: {PIN: {secret: true, required: true}}
deliver: []
files: {/etc/reports.conf: {template: reports.conf.j2}}
"""

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    root = tmp_path_factory.mktemp("adopt")
    for service, text in (("front", FRONT), ("admin", ADMIN), ("reports", REPORTS)):
        shutil.copytree(PROGRAM, root / "services" / service)
        (root / "services" / service / "service.yaml").write_text(text)
    (root / "services" / "reports" / "reports.conf.j2").write_text("pin {{ PIN }}\n")
    (root / "ecluse.yaml").write_text(ECLUSE_YAML)
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    command.ok("build", "--quiet", "--version", "1")
    command.ok("deploy", "test", "--yes", "--secrets", str(given(root, TOKEN=SECRET, KEY=IN_A_FILE)))
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def given(root: Path, **texts: str) -> Path:
    """A file for --secrets; with what is in a template, which cannot be read back."""
    path = root / "given.yaml"
    path.write_text(json.dumps({"PIN": IN_A_TEMPLATE, **texts}))
    path.chmod(0o600)
    return path


def containers(kind: str) -> dict[str, str]:
    """Name → when it was started, of what runs for good."""
    listed = docker(
        "ps", "--filter", f"label=ecluse.product={PRODUCT}", "--filter", f"label=ecluse.kind={kind}",
        "--format", "{{.Names}}",
    ).split()  # fmt: skip
    return {name: docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name) for name in listed}


@contextmanager
def load(port: int) -> Iterator[list[str]]:
    """One request after another; gives what went wrong."""
    lost: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.02):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request("GET", "/", headers={"Host": f"front.{PRODUCT}.localhost"})
                status = connection.getresponse().status
                if status != 200:
                    lost.append(str(status))
            except (OSError, http.client.HTTPException) as error:
                lost.append(repr(error))
            finally:
                connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join()


def test_without_its_record_an_environment_is_taken_over_and_nothing_notices(product: Command) -> None:
    before = containers("replica") | containers("backing") | containers("gateway")
    known = product.ok("status", "test", "--json").json[0]["services"]
    product.ok("runner", "--stop")
    for path in (product.state / PRODUCT).glob("state.sqlite*"):
        path.unlink()
    secrets = given(product.root, TOKEN=SECRET, KEY=IN_A_FILE)
    assert "nothing to do" not in product.ok("plan", "test", "--secrets", str(secrets)).out

    with load(product.port) as lost:
        asked = product("adopt", "test", "--yes")
        assert asked.code == 3
        assert "config.PIN: has no value" in asked.err
        assert "config.KEY" not in asked.err
        answer = product.ok("adopt", "test", "--yes", "--secrets", str(given(product.root)))
        assert "known good: admin, front, reports" in answer.err
        assert "ran already: front/migrate" in answer.err
        assert "nothing to do" in product.ok("plan", "test").out
        product.ok("deploy", "test", "--yes")
        time.sleep(0.5)
    assert lost == []
    assert containers("replica") | containers("backing") | containers("gateway") == before
    now = product.ok("status", "test", "--json").json[0]["services"]
    keys = ("service", "version", "wanted", "url")
    assert [[item[key] for key in keys] for item in now] == [[item[key] for key in keys] for item in known]
    told = answer.out + answer.err + asked.err + product.ok("history", "test", "--json").out
    assert not [text for text in (SECRET, IN_A_FILE, IN_A_TEMPLATE) if text in told]


def test_without_its_whole_state_it_is_taken_over_and_only_the_gateway_is_made_again(
    product: Command,
) -> None:
    before = containers("replica") | containers("backing")
    product.ok("runner", "--stop")
    shutil.rmtree(product.state / PRODUCT)

    answer = product.ok("adopt", "test", "--yes", "--secrets", str(given(product.root)))
    assert "the key of the vault is back" in answer.err
    assert "left alone" not in answer.err
    assert "nothing to do" in product.ok("plan", "test").out
    assert containers("replica") | containers("backing") == before
    (product.root / "config" / "services").mkdir(parents=True)
    (product.root / "config" / "services" / "admin.yaml").write_text("app: {NAME: another}\n")
    with load(product.port) as lost:
        product.ok("deploy", "test", "--yes")
    assert lost == []


def test_what_is_not_as_the_files_say_is_left_alone_and_named(product: Command) -> None:
    product.ok("runner", "--stop")
    for path in (product.state / PRODUCT).glob("state.sqlite*"):
        path.unlink()
    folder = product.root / "config" / "services"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "admin.yaml").write_text("app: {NAME: written since}\n")
    with load(product.port) as lost:
        answer = product.ok("adopt", "test", "--yes", "--secrets", str(given(product.root)))
    assert "left alone: admin/web does not run as the product's files say" in answer.err
    assert "admin will need its secrets once more, in the file of --secrets: KEY" in answer.err
    assert "known good: front, reports" in answer.err
    assert lost == []
    secrets = str(given(product.root, KEY=IN_A_FILE))
    plan = product.ok("plan", "test", "--secrets", secrets).out
    assert "admin/web" in plan
    assert "front/" not in plan
    product.ok("deploy", "test", "--yes", "--secrets", secrets)
    assert "nothing to do" in product.ok("plan", "test").out


def test_where_nothing_runs_there_is_nothing_to_adopt(product: Command, tmp_path: Path) -> None:
    other = Command(product.root, tmp_path, product.port)
    answer = other("adopt", "test", "--yes")
    assert answer.code == 4
    assert "nothing of" in answer.err
