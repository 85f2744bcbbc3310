"""What is beside a product's own programs: the tools of a debugging session, and a database of somebody else."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pyrage
import pytest

from tests.acceptance.installed import Command, docker, remove_images
from tests.acceptance.private_daemon import PROGRAM, house_image, wait_for

MARK = uuid4().hex[:8]
PRODUCT = f"beside-{MARK}"
BASE = f"ecluse-test/beside:{MARK}"
STORE = f"ecl-test-store-{MARK}"
PASSWORD = f"p@ss/{secrets.token_hex(8)}"
ECLUSE_YAML = f"""\
product: {PRODUCT}
environments:
  test: {{engine: docker, domain: {PRODUCT}.localhost, tls: {{mode: "off"}}}}
backing:
  sessions: {{kind: redis}}
  outside: {{kind: redis, external: {{host: HOST, port: PORT, password_key: OUTSIDE_PASSWORD}}}}
"""
WEB = "processes: {web: {port: 8080, probe: {path: /health}, stop_grace: 1s}}\n"
FRONT = f"""\
service: front
image: {{target: run, tests: {{target: test, commands: [["true"]]}}}}
{WEB}uses: [back, sessions, outside]
config:
  NAME: {{default: front}}
  SESSIONS_URL: {{type: url, default: "${{backing.sessions.url}}"}}
  OUTSIDE_URL: {{type: url, default: "${{backing.outside.url}}"}}
"""
REDIS = """\
import os, socket, sys
from urllib.parse import unquote, urlsplit
url = urlsplit(os.environ[sys.argv[1]])
link = socket.create_connection((url.hostname, url.port), 5)
link.sendall(f"AUTH {unquote(url.password)}\\r\\n{sys.argv[2]}\\r\\n".encode())
link.settimeout(1)
said = b""
try:
    while said.count(b"\\r\\n") < 2:
        said += link.recv(4096)
except TimeoutError:
    pass
print(said.decode())
"""
ASK = """\
import sys, urllib.error, urllib.request as r
for asked in sys.argv[1:]:
    name, _, host = asked.partition("=")
    try:
        print(r.urlopen(r.Request(f"http://{name}/", headers={"Host": host or name}), timeout=5).status)
    except urllib.error.HTTPError as error:
        print(error.code)
    except urllib.error.URLError as error:
        print(type(error.reason).__name__)
"""
SHOW = """\
import json, os, urllib.request
replica = json.load(urllib.request.urlopen("http://127.0.0.1:8080/env"))
print(json.dumps([dict(os.environ), replica]))
"""

pytestmark = pytest.mark.usefixtures("docker_engine")


def encrypt(command: Command) -> None:
    """The password is in an encrypted file only, and in no contract."""
    command.ok("secrets", "init")
    words = [*command.words, "secrets", "set", "OUTSIDE_PASSWORD", "--env", "test"]
    subprocess.run(
        words, input=PASSWORD, text=True, check=True, capture_output=True, env=command.environment()
    )


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[str, int]]:
    """A database that is not ours, on an address of the machine that no environment has."""
    docker("network", "create", STORE)
    try:
        address = docker("network", "inspect", STORE, "--format", "{{(index .IPAM.Config 0).Gateway}}")
        port = free_port(address)
        docker(
            "run", "--detach", "--name", STORE, "--network", "host", "--entrypoint", "redis-server",
            house_image("redis"), "--requirepass", PASSWORD, "--bind", address, "--port", str(port), "--save", "",
        )  # fmt: skip
        wait_for(lambda: stored(address, port, "PING") == "PONG", 60, "the database answers")
        yield address, port
    finally:
        with suppress(subprocess.CalledProcessError):
            docker("rm", "--force", "--volumes", STORE)
        docker("network", "rm", STORE)


def free_port(address: str) -> int:
    with socket.socket() as listener:
        listener.bind((address, 0))
        port: int = listener.getsockname()[1]
        return port


def stored(address: str, port: int, *words: str) -> str:
    login = ["--env", f"REDISCLI_AUTH={PASSWORD}"]
    try:
        return docker("exec", *login, STORE, "redis-cli", "-h", address, "-p", str(port), *words)
    except subprocess.CalledProcessError:
        return ""


@pytest.fixture(scope="module")
def beside(
    store: tuple[str, int], tmp_path_factory: pytest.TempPathFactory, edge_port: int
) -> Iterator[Command]:
    root = tmp_path_factory.mktemp("product")
    docker("build", "--quiet", "--network", "host", "--tag", BASE, str(PROGRAM))
    for name in ("front", "back", "other"):
        folder = root / "services" / name
        folder.mkdir(parents=True)
        stages = f"FROM {BASE} AS run\n" + ("FROM run AS test\nCOPY *.py /\n" if name == "front" else "")
        (folder / "Dockerfile").write_text(stages)
        text = FRONT if name == "front" else f"service: {name}\n{WEB}config: {{NAME: {{default: {name}}}}}\n"
        (folder / "service.yaml").write_text(text)
    for name, text in (("redis.py", REDIS), ("ask.py", ASK)):
        (root / "services" / "front" / name).write_text(text)
    (root / "ecluse.yaml").write_text(ECLUSE_YAML.replace("HOST", store[0]).replace("PORT", str(store[1])))
    key = pyrage.x25519.Identity.generate()
    home = tmp_path_factory.mktemp("home")
    variables = {"SOPS_AGE_KEY": str(key), "HOME": str(home), "ECLUSE_USER": "alice"}
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port, variables=variables)
    try:
        encrypt(command)
        command.ok("build", "--quiet", "--version", "1")
        command.ok("deploy", "test", "--yes")
        yield command
    finally:
        command("down", "test", "--volumes", "--yes")
        command("runner", "--stop")
        remove_images(PRODUCT)
        docker("image", "rm", "--force", BASE)


def beside_front(beside: Command, *words: str) -> str:
    return beside.ok("debug", "test", "front", "--", *words).out


def test_from_the_debugging_session_the_replica_and_what_it_uses_answer_and_nothing_else(
    beside: Command,
) -> None:
    asked = ["127.0.0.1:8080", "back", "other", "back=other"]
    answers = beside_front(beside, "python3", "/ask.py", *asked).split()
    assert answers == ["200", "200", "gaierror", "403"], "other has no name here, and the gateway refuses it"
    assert "+PONG" in beside_front(beside, "python3", "/redis.py", "SESSIONS_URL", "PING")


def test_the_variables_of_the_debugging_session_are_those_of_the_replica(beside: Command) -> None:
    mine, replicas = json.loads(beside_front(beside, "python3", "-c", SHOW))
    names = ("NAME", "SESSIONS_URL", "OUTSIDE_URL")
    assert [mine[name] for name in names] == [replicas[name] for name in names]
    assert mine["NAME"] == "front"


@pytest.mark.parametrize(
    "next_command", [("debug", "test", "front", "--", "true"), ("deploy", "test", "--yes")]
)
def test_a_debugging_session_that_was_killed_is_removed_by_what_comes_next(
    beside: Command, next_command: tuple[str, ...]
) -> None:
    words = [*beside.words, "debug", "test", "front", "--"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen([*words, "sh", "-c", f"sleep 600 {mark}"], env=beside.environment(), **quiet)
        for mark in ("", "&& true")
    ]
    killed, _ = started
    try:
        wait_for(lambda: len(sessions()) == 2, 60, "both sessions are there")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert len(sessions()) == 2
        if next_command[0] == "deploy":
            write_wish(beside, f"front {uuid4().hex[:4]}")
        beside.ok(*next_command)
        assert len(sessions()) == 1, "somebody else's stays"
    finally:
        for process in started:
            process.kill()
            process.wait()
    beside_front(beside, "true")
    assert sessions() == []


def sessions() -> list[str]:
    marks = ("--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.run=debug")
    return docker("ps", "--all", "--quiet", *marks).split()


def write_wish(beside: Command, name: str) -> None:
    folder = beside.root / "config" / "services"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "back.yaml").write_text(f"app: {{NAME: {name}}}\n")


def test_a_database_of_somebody_else_is_reached_with_the_password_of_the_encrypted_file(
    beside: Command, store: tuple[str, int]
) -> None:
    assert PASSWORD not in (beside.root / "ecluse.yaml").read_text()
    write = ["python3", "/redis.py", "OUTSIDE_URL", f"SET found {MARK}"]
    assert "+OK" in beside_front(beside, *write)
    assert stored(*store, "GET", "found") == MARK
    (status,) = beside.ok("status", "test", "--json").json
    assert [one["name"] for one in status["backing"]] == ["sessions"], "it does not run here"
    for words in (("plan", "test"), ("config", "show", "test", "front"), ("history", "test")):
        answer = beside(*words)
        assert PASSWORD not in answer.out + answer.err
