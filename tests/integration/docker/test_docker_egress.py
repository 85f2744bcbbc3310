"""What a service reaches outside, where only what it declares may be reached: a TLS server on another Docker network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from docker_site import Here, docker, inspect
from making import drain

from ecluse.errors import EngineError
from ecluse.model.workload import Workload

pytestmark = pytest.mark.docker

API, OTHER = "api.example.test", "other.example.test"
_SERVE = """
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"the world outside")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/outside.crt", "/tls/outside.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
_ASK = """
import json, socket, ssl, sys
def ask(address, name):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((address, 443), timeout=8) as raw:
            with context.wrap_socket(raw, server_hostname=name) as secure:
                secure.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                text = b""
                while part := secure.recv(4096): text += part
                return text.decode().partition("\\r\\n\\r\\n")[2] or "nothing"
    except socket.gaierror: return "no such name"
    except (OSError, ssl.SSLError): return "closed"
print(json.dumps([ask(*words) for words in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def outside(docker_image: str, tmp_path: Path) -> Iterator[str]:
    """The name of a network with a server that answers to both names."""
    name = f"outside-{uuid4().hex[:8]}"
    tls = tmp_path / "tls"
    tls.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={API}", "-days", "2",
         "-keyout", str(tls / "outside.key"), "-out", str(tls / "outside.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    docker("network", "create", name)
    docker(
        "run", "--detach", "--name", name, "--network", name, "--network-alias", API, "--network-alias", OTHER,
        "--volume", f"{tls}:/tls:ro", docker_image, "python3", "-c", _SERVE,
    )  # fmt: skip
    yield name
    docker("rm", "--force", name)
    for container in json.loads(docker("network", "inspect", name))[0]["Containers"]:
        docker("network", "disconnect", "--force", name, container)
    docker("network", "rm", name)


def ask(container: str, *asks: tuple[str, str]) -> list[str]:
    return list(json.loads(docker("exec", container, "python3", "-c", _ASK, json.dumps(asks))))


def closed(here: Here, service: str, *urls: str) -> Workload:
    workload = here.make.web(service, host=None, uses=("back",) if service == "front" else ())
    return replace(workload, box=replace(workload.box, outside=tuple(urls)))


async def test_only_what_is_declared_is_reached_where_egress_is_declared(here: Here, outside: str) -> None:
    front, back = closed(here, "front", f"https://{API}/v1"), closed(here, "back")
    await drain(here.engine.prepare(here.target, [front, back]))
    gateway = next(
        name
        for name in docker("ps", "--format", "{{.Names}}").split()
        if f"{here.target.slug}-gateway" in name
    )
    docker("network", "connect", outside, gateway)
    for workload in (back, front):
        await drain(here.engine.rollout(here.target, workload))
    names = {item.service: item.name for item in (await here.engine.observe(here.target)).replicas}

    (network,) = inspect(names["front"])["NetworkSettings"]["Networks"].values()
    own = f"{network['IPAddress'].rpartition('.')[0]}.2"
    server = inspect(outside)["NetworkSettings"]["Networks"][outside]["IPAddress"]
    assert ask(names["front"], (API, API)) == ["the world outside"]
    assert ask(names["front"], (OTHER, OTHER), (own, OTHER), (server, API)) == [
        "no such name", "closed", "closed",
    ]  # fmt: skip
    (network,) = inspect(names["back"])["NetworkSettings"]["Networks"].values()
    own = f"{network['IPAddress'].rpartition('.')[0]}.2"
    assert ask(names["back"], (API, API), (own, API), (server, API)) == ["no such name", "closed", "closed"]
    for name in names.values():
        (network_name,) = inspect(name)["NetworkSettings"]["Networks"]
        assert json.loads(docker("network", "inspect", network_name))[0]["Internal"], "there is no way out"
    # what is inside is reached as ever
    inside = "import urllib.request as u; print(u.urlopen('http://back/', timeout=10).status)"
    assert docker("exec", names["front"], "python3", "-c", inside).strip() == "200"


async def test_an_environment_that_is_closed_later_moves_its_services_and_leaves_no_network(
    here: Here,
) -> None:
    open_, shut = here.make.web("front", host=None), closed(here, "front")
    assert open_.box.digest != shut.box.digest, "a plan replaces what runs"
    for workload in (open_, shut, open_):
        await drain(here.engine.prepare(here.target, [workload]))
        await drain(here.engine.rollout(here.target, workload))
        await drain(here.engine.prepare(here.target, [workload]))
        label = f"label=ecluse.product={here.target.product}"
        listed = docker("network", "ls", "--filter", label, "--format", "{{.Name}}").split()
        ends = sorted(name.partition(".")[2] for name in listed if "." in name)
        assert ends == ["front.closed" if workload is shut else "front"]


async def test_an_address_that_cannot_be_told_apart_is_refused_before_anything_changes(here: Here) -> None:
    with pytest.raises(EngineError, match="smtp://mail.example.test:25 cannot be let through"):
        await drain(here.engine.prepare(here.target, [closed(here, "front", "smtp://mail.example.test:25")]))
    assert not (await here.engine.observe(here.target)).exists
