"""HTTPS as a person meets it: deploy, trust, insist on it, bring a certificate that will not do."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.acceptance.installed import Command, remove_images

PRODUCT = "padlock"
HOST = "clock.padlock.localhost"
ANSWERS = (
    "use IO::Socket; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;"
    " while (my $c = $s->accept) { my $l; do { $l = <$c> } while ($l && $l =~ /\\S/);"
    ' print $c "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nyes"; close $c }'
)

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def padlock(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[tuple[Command, int]]:
    root = tmp_path_factory.mktemp("padlock")
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    (root / "services" / "clock").mkdir(parents=True)
    (root / "services" / "clock" / "Dockerfile").write_text("FROM debian:12-slim\nUSER 33\n")
    web = {
        "command": ["perl", "-e", ANSWERS],
        "port": 8080,
        "probe": {"path": "/"},
        "expose": {"host": "clock"},
    }
    (root / "services" / "clock" / "service.yaml").write_text(
        json.dumps({"service": "clock", "processes": {"web": web}})
    )
    tell(command, {})
    yield command, port
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


def tell(command: Command, tls: dict[str, object]) -> None:
    environment = {"domain": "padlock.localhost", "tls": tls}
    (command.root / "ecluse.yaml").write_text(
        json.dumps({"product": PRODUCT, "environments": {"test": environment}})
    )


def ask(port: int, authority: Path | None = None) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.connect()
    if authority is not None:
        context = ssl.create_default_context(cafile=str(authority))
        connection.sock = context.wrap_socket(connection.sock, server_hostname=HOST)
    connection.request("GET", "/now?x=1", headers={"Host": HOST})
    return connection.getresponse()


def test_https_from_the_first_deployment_to_nothing_else(
    padlock: tuple[Command, int], tmp_path: Path
) -> None:
    command, port = padlock
    https = {"ECLUSE_EDGE_HTTPS_PORT": str(port)}
    assert command("trust", **https).code == 4
    command.ok("build", "--quiet", "--version", "1", **https)
    command.ok("deploy", "test", "--yes", **https)
    authority = tmp_path / "ecluse.crt"
    authority.write_text(command.ok("trust", "--print", **https).out)
    assert "update-ca-certificates" in command.ok("trust", **https).out
    assert (ask(port, authority).status, ask(command.port).status) == (200, 200)

    tell(command, {"redirect": True, "hsts": 3600})
    assert "~ secure gateway" in command.ok("plan", "test", **https).out
    command.ok("deploy", "test", "--yes", **https)
    answer = ask(command.port)
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{HOST}:{port}/now?x=1")
    assert ask(port, authority).headers["Strict-Transport-Security"] == "max-age=3600"
    assert f"https://{HOST}:{port}" in command.ok("status", "test", **https).out
    assert "nothing to do" in command.ok("plan", "test", **https).out

    tell(command, {"mode": "files", "certificate": "/nowhere/own.crt", "key": "/nowhere/own.key"})
    refused = command("deploy", "test", "--yes", **https)
    assert (refused.code, "cannot read /nowhere/own.crt" in refused.err) == (9, True)
    assert ask(port, authority).status == 200
