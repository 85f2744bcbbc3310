"""What runs is taken over when the record of it is gone, under load and without a restart."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from ecluse.engines.docker.labels import machine_id
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
  db: {{kind: postgresql}}
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
uses: [db]
config:
  PIN: {secret: true, required: true}
  DB_URL: {type: url, default: "${backing.db.url}"}
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
    (root / "services" / "reports" / "reports.conf.j2").write_text("pin {{ PIN }}\ndb {{ DB_URL }}\n")
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


def containers(kind: str, machine: Command | None = None) -> dict[str, str]:
    """Name → when it was started, of what runs for good: of the product, or of a machine."""
    owner = f"product={PRODUCT}"
    if machine:
        owner = f"machine={machine_id(machine.state / '_machine')}"
    listed = docker(
        "ps", "--filter", f"label=ecluse.{owner}", "--filter", f"label=ecluse.kind={kind}",
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


def of(service: str) -> str:
    """The container of a service, or of a backing service."""
    label = f"label=ecluse.{'backing' if service == 'sessions' else 'service'}={service}"
    listed = docker(
        "ps", "--filter", f"label=ecluse.product={PRODUCT}", "--filter", label, "--format", "{{.Names}}"
    )
    return listed.split()[0]


def session_password() -> str:
    """As a replica of front knows it."""
    url = docker("exec", of("front"), "printenv", "SESSIONS_URL")
    return url.split("//:")[1].split("@")[0]


def db_url() -> str:
    return docker("exec", of("reports"), "cat", "/etc/reports.conf").splitlines()[1].removeprefix("db ")


def enters(password: str) -> bool:
    """Does redis let a new client in?"""
    networks = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", of("sessions")))
    address = next(iter(networks.values()))["IPAddress"]
    with socket.create_connection((address, 6379), timeout=10) as client:
        client.sendall(b"AUTH " + password.encode() + b"\r\n")
        return client.recv(100).startswith(b"+OK")


@contextmanager
def visits(password: str) -> Iterator[list[str]]:
    """New clients of redis, one after another; gives how many were refused."""
    refused: list[str] = []
    over = threading.Event()

    def visit() -> None:
        while not over.wait(0.1):
            if not enters(password):
                refused.append("refused")

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield refused
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
    edge = containers("edge", machine=product)
    product.ok("runner", "--stop")
    for folder in (PRODUCT, "_machine"):
        shutil.rmtree(product.state / folder)
    status = product.ok("status", "test").out
    assert "some of it is not on record: `ecluse adopt test`" in status
    assert "the edge lost its files" in status
    assert "the gateway lost its files" in status
    secrets = str(given(product.root, TOKEN=SECRET, KEY=IN_A_FILE))
    held = product("deploy", "test", "--yes", "--secrets", secrets)
    assert held.code == 5
    assert "no deployment of it is on record" in held.err
    assert "--accept no-record" in held.err

    answer = product.ok("adopt", "test", "--yes", "--secrets", str(given(product.root)))
    assert "the edge and the gateway can be told nothing any more" in answer.out
    assert containers("edge", machine=product) != edge
    assert "another key" not in answer.err
    assert "left alone" not in answer.err
    assert "nothing to do" in product.ok("plan", "test").out
    assert containers("replica") | containers("backing") == before
    (product.root / "config" / "services").mkdir(parents=True)
    (product.root / "config" / "services" / "admin.yaml").write_text("app: {NAME: another}\n")
    with load(product.port) as lost:
        product.ok("deploy", "test", "--yes")
    assert lost == []


def test_without_the_folder_of_the_machine_the_next_deployment_makes_the_edge_again(product: Command) -> None:
    before = containers("replica") | containers("backing") | containers("gateway")
    edge = containers("edge", machine=product)
    shutil.rmtree(product.state / "_machine")
    assert "the edge lost its files" in product.ok("status", "test").out
    assert "secure gateway  (the edge can be told nothing any more" in product.ok("plan", "test").out
    assert containers("edge", machine=product) == edge
    product.ok("deploy", "test", "--yes")
    assert "nothing to do" in product.ok("plan", "test").out
    assert "lost its files" not in product.ok("status", "test").out
    assert containers("edge", machine=product) != edge
    assert containers("replica") | containers("backing") | containers("gateway") == before
    with load(product.port) as lost:
        time.sleep(0.5)
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


def test_without_key_and_gateway_the_passwords_in_use_stay_and_nobody_is_stopped(product: Command) -> None:
    product.ok("rotate", "test", "db", "--yes")
    running = containers("replica") | containers("backing")
    sessions, db = session_password(), db_url()
    assert "//reports.b:" in db
    product.ok("runner", "--stop")
    shutil.rmtree(product.state / PRODUCT)
    docker("rm", "--force", *containers("gateway"))

    with visits(sessions) as refused:
        answer = product.ok("adopt", "test", "--yes", "--secrets", str(given(product.root)))
        assert "the key of the vault is gone, and no gateway kept it" in answer.err
        assert "the passwords of db follow from another key" in answer.err
        assert "the passwords of sessions follow from another key" in answer.err
        assert "front runs as the files say, under a mark of another key" in answer.err
        assert "known good: admin, front, reports" in answer.err
        assert "left alone" not in answer.err
        assert containers("replica") | containers("backing") == running
        plan = product.ok("plan", "test").out
        assert "replace front/web" in plan
        assert "replace reports/worker" in plan
        assert "provide" not in plan
        backing = containers("backing")
        with load(product.port) as lost:
            product.ok("deploy", "test", "--yes")
        assert lost == []
    assert refused == []
    assert "nothing to do" in product.ok("plan", "test").out
    assert containers("backing") == backing
    assert (session_password(), db_url()) == (sessions, db)
    told = answer.out + answer.err + plan + product.ok("history", "test", "--json").out
    assert not [
        text for text in (SECRET, IN_A_FILE, sessions, db.split(":")[2].split("@")[0]) if text in told
    ]

    product.ok("rotate", "test", "--yes")
    assert session_password() != sessions
    assert db_url() != db
    assert not enters(sessions)
    assert enters(session_password())
    assert containers("backing") == backing


def test_where_nothing_runs_there_is_nothing_to_adopt(product: Command, tmp_path: Path) -> None:
    other = Command(product.root, tmp_path, product.port)
    answer = other("adopt", "test", "--yes")
    assert answer.code == 4
    assert "nothing of" in answer.err
