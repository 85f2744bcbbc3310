"""A release that passes its probe and then answers errors: what people see, and what runs in the end."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.installed import Command, remove_images

PRODUCT = "firsts"
HOST = "shop.firsts.localhost"
ANSWERS = (
    "use IO::Socket; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 99, ReuseAddr => 1) or die;"
    " my $n = $ENV{STATUS}; while (my $c = $s->accept) { my $f = <$c>; my $l; do { $l = <$c> } while ($l && $l =~ /\\S/);"
    ' my $x = $f =~ m{/health} ? 200 : $n; print $c "HTTP/1.1 $x So\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";'
    " close $c }"
)

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def shop(tmp_path: Path, edge_port: int) -> Iterator[Command]:
    command = Command(tmp_path / "product", tmp_path / "state", edge_port)
    folder = command.root / "services" / "shop"
    folder.mkdir(parents=True)
    (command.root / "ecluse.yaml").write_text(
        json.dumps({"product": PRODUCT, "environments": {"test": {"domain": "firsts.localhost"}}})
    )
    (folder / "Dockerfile").write_text("FROM debian:12-slim\nUSER 33\n")
    web = {
        "command": ["perl", "-e", ANSWERS],
        "port": 8080,
        "probe": {"path": "/health"},
        "expose": {"host": "shop"},
    }
    (folder / "service.yaml").write_text(
        json.dumps({"service": "shop", "processes": {"web": web}, "config": {"STATUS": {"default": "200"}}})
    )
    yield command
    command("down", "test", "--volumes", "--yes")
    command("runner", "--stop")
    remove_images(PRODUCT)


@contextmanager
def people(port: int) -> Iterator[None]:
    """Somebody asks all the time."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            status(port)
            time.sleep(0.02)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/", headers={"Host": HOST})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_release_that_answers_errors_is_taken_back_and_the_figures_are_told(shop: Command) -> None:
    shop.ok("build", "--quiet", "--version", "1")
    shop.ok("deploy", "test", "--yes")
    layer = shop.root / "config" / "environments" / "test" / "services" / "shop.yaml"
    layer.parent.mkdir(parents=True)
    layer.write_text('app: {STATUS: "500"}\n')
    with people(shop.port):
        time.sleep(1)
        deployed = shop("deploy", "test", "--yes")
    assert deployed.code != 0
    assert "shop/web fails more often: " in deployed.out + deployed.err
    assert " are errors, against 0 of " in deployed.out + deployed.err
    assert status(shop.port) == 200
    assert shop.ok("history", "test", "--json").json[0]["state"] == "restored"
