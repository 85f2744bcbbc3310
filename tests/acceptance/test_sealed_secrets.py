"""Secrets in encrypted files on a real engine: who holds a key gives them, and who holds none works on, and sees none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from tests.acceptance.installed import Command, docker, git, remove_images

PRODUCT = "scelle"
FIRST, SECOND, SHARED = ("canary-61c0a4-first", "canary-61c0a4-second", "canary-61c0a4-shared")
ENVIRONMENT = "config/environments/test"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def holder(tmp_path: Path, edge_port: int) -> Iterator[Command]:
    """Somebody with a key of his own, in a product of two services without a port."""
    key = pyrage.x25519.Identity.generate()
    command = Command(tmp_path / PRODUCT, tmp_path / "state", edge_port)
    command = replace(command, variables=_person(tmp_path / "holder") | {"SOPS_AGE_KEY": str(key)})
    command.root.mkdir()
    product = {
        "product": PRODUCT,
        "environments": {"test": {"domain": f"{PRODUCT}.localhost"}},
        "secrets": {"holders": {"holder": str(key.to_public())}},
    }
    (command.root / "ecluse.yaml").write_text(json.dumps(product))
    _service(command, "mail", {"PASSWORD": {"secret": True}, "GREETING": {"default": "hello"}})
    _service(command, "shop", {"GREETING": {"default": "hello"}})
    git(command.root, "init", "--quiet")
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def _person(home: Path) -> dict[str, str]:
    home.mkdir()
    nobody = dict.fromkeys(("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD"), "")
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "ECLUSE_USER": home.name}
    return nobody | own | {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": ""}


def _service(command: Command, name: str, contract: dict[str, dict[str, object]]) -> None:
    folder = command.root / "services" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text("FROM debian:12-slim\nUSER 33\n")
    processes = {"main": {"command": ["sleep", "infinity"]}}
    declared = {"service": name, "processes": processes, "config": contract}
    (folder / "service.yaml").write_text(json.dumps(declared))


def _seal(command: Command, key: str, value: str, *scope: str) -> None:
    command.ok("secrets", "set", key, "--env", "test", *scope, given=f"{value}\n")


def _known_as(command: Command) -> str:
    key = pyrage.x25519.Identity.from_str(command.variables["SOPS_AGE_KEY"])
    return f"holder ({key.to_public()})"


def _received(service: str) -> dict[str, str]:
    """What the running container of a service has in its environment."""
    mine = f"name={PRODUCT}-test-{service}-main-"
    (container,) = docker("ps", "--format", "{{.Names}}", "--filter", mine).split()
    lines = docker("exec", container, "cat", "/proc/1/environ").split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_who_holds_no_key_deploys_what_was_read_before_and_no_more(holder: Command, tmp_path: Path) -> None:
    stranger = replace(holder, variables=_person(tmp_path / "stranger"))
    said: list[str] = []

    def keyless(code: int, *words: str) -> str:
        answer = stranger(*words)
        said.append(answer.out + answer.err)
        assert answer.code == code, said[-1]
        return said[-1]

    holder.ok("secrets", "init")
    _seal(holder, "PASSWORD", FIRST, "--service", "mail")
    holder.ok("build", "--quiet")
    holder.ok("deploy", "test", "--yes")
    assert _received("mail")["PASSWORD"] == FIRST
    assert "nothing to do" in keyless(0, "plan", "test")

    (holder.root / ENVIRONMENT / "common.yaml").write_text("app: {GREETING: good morning}\n")
    assert "PASSWORD" not in keyless(0, "deploy", "test", "--yes")
    assert (_received("mail")["GREETING"], _received("mail")["PASSWORD"]) == ("good morning", FIRST)

    _seal(holder, "PASSWORD", SECOND, "--service", "mail")
    refused = f"app.PASSWORD: nobody can read it here; {_known_as(holder)} can"
    planned = keyless(0, "plan", "test")
    assert "config PASSWORD  a secret, changed" in planned
    assert f"would be refused: {ENVIRONMENT}/services/mail.sops.yaml:2: {refused}" in planned
    assert refused in keyless(7, "deploy", "test", "--yes")
    assert refused in keyless(7, "deploy", "test", "--yes", "--override", "in a hurry")
    assert _received("mail")["PASSWORD"] == FIRST
    deployed = holder.ok("deploy", "test", "--yes")
    assert _received("mail")["PASSWORD"] == SECOND
    assert "nothing to do" in keyless(0, "plan", "test")

    # the state directory is lost
    holder.ok("runner", "--stop")
    (holder.state / PRODUCT).rename(tmp_path / "lost")
    assert refused in keyless(7, "adopt", "test", "--yes")
    holder.ok("adopt", "test", "--yes")
    assert "nothing to do" in keyless(0, "plan", "test")

    _seal(holder, "RELAY", SHARED)
    _service(holder, "shop", {"GREETING": {"default": "hello"}, "RELAY": {"secret": True}})
    claim = f"{ENVIRONMENT}/common.sops.yaml:2: RELAY: is a shared secret that shop claims in test"
    assert claim in keyless(0, "check")
    holder.ok("build", "--quiet", "shop")
    planned = keyless(0, "plan", "test", "shop=latest")
    assert claim in planned
    assert "config RELAY" in planned
    assert claim in holder.ok("plan", "test", "shop=latest").out
    secrets = (FIRST, SECOND, SHARED)
    assert not [text for text in (*said, deployed.out, deployed.err) if any(one in text for one in secrets)]
