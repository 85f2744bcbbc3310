from __future__ import annotations

import io
import tarfile
from ipaddress import IPv4Network
from pathlib import Path

from ecluse.engines.docker import labels, payloads
from ecluse.engines.docker.gateway.listening import Listening
from ecluse.engines.docker.labels import Site
from ecluse.engines.docker.payloads import Packed, Place
from ecluse.model.application import ReleaseId, Target
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.model.secret import Sealed
from ecluse.model.service import Process
from ecluse.model.workload import Box, Run, Workload

TARGET = Target(ProductName("comptoir"), EnvironmentName("test"), "test.localhost")
SITE = Site(TARGET, "")
RELEASE = ReleaseId(ServiceName("invoicing"), "1.4.0", "sha256:abc", content="c1")
BOX = Box(
    RELEASE,
    ("php", "bin/worker.php"),
    {"TOKEN": Sealed("f" * 32), "MODE": "test"},
    (),
    (),
    ("db",),
    250,
    128 << 20,
)
PLACE = Place("ecluse-comptoir-test", "10.213.1.0", {"db": "10.213.0.16", "accounting": "10.213.0.2"})


def test_a_replica_is_created_exactly_so() -> None:
    workload = Workload(
        ServiceName("invoicing"), "worker", BOX, Process("worker", replicas=2, stop_grace=45.0), None, None
    )
    env = {"TOKEN": "revealed", "MODE": "test"}
    name, body = payloads.replica(SITE, workload, number=2, place=PLACE, env=env)
    assert name == "comptoir-test-invoicing-worker-2"
    assert body == {
        "Image": "sha256:abc",
        "Cmd": ["php", "bin/worker.php"],
        "Env": ["MODE=test", "TOKEN=revealed"],
        "StopTimeout": 45,
        "Labels": {
            "ecluse.product": "comptoir",
            "ecluse.environment": "test",
            "ecluse.machine": "",
            "ecluse.kind": "replica",
            "ecluse.service": "invoicing",
            "ecluse.process": "worker",
            "ecluse.number": "2",
            "ecluse.box": BOX.digest,
            "ecluse.version": "1.4.0",
            "ecluse.image": "sha256:abc",
            "ecluse.address": "10.213.1.0",
            "ecluse.uses": "",
            "ecluse.uses-backing": "db",
        },
        "HostConfig": {
            "NetworkMode": "ecluse-comptoir-test",
            "ExtraHosts": ["accounting:10.213.0.2", "db:10.213.0.16"],
            "Init": True,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "no"},
            "NanoCpus": 250_000_000,
            "Memory": 134217728,
            "MemorySwap": 134217728,
            "CapDrop": ["NET_RAW"],
        },
        "NetworkingConfig": {
            "EndpointsConfig": {"ecluse-comptoir-test": {"IPAMConfig": {"IPv4Address": "10.213.1.0"}}}
        },
    }


def test_without_a_command_the_image_has_its_own() -> None:
    bare = Box(RELEASE, (), {}, (), (), (), None, None)
    workload = Workload(ServiceName("invoicing"), "web", bare, Process("web"), None, None)
    _, body = payloads.replica(SITE, workload, number=1, place=Place("n", "10.213.1.0"), env={})
    assert "Cmd" not in body
    assert not {"Memory", "NanoCpus"} & set(body["HostConfig"])


def test_a_run_is_named_by_its_key_and_never_restarts() -> None:
    run = Run(ServiceName("invoicing"), "migrate", "key one", BOX, 60.0)
    name, body = payloads.run(SITE, run, place=PLACE, env={})
    assert name.startswith("comptoir-test-invoicing-migrate-run-")
    assert name != SITE.run("invoicing", "migrate", "key two")
    assert body["Labels"]["ecluse.key"] == "key one"
    assert "RestartPolicy" not in body["HostConfig"]


def test_the_edge_publishes_one_port_of_one_address() -> None:
    body = payloads.edge(
        machine="",
        image="ecluse/haproxy:2.6-x",
        place=Place("ecluse-edge", "10.213.4.2"),
        folder="/var/lib/ecluse/_machine/edge",
        listening=Listening("127.0.0.1", 8000),
    )
    assert body["ExposedPorts"] == {"80/tcp": {}}
    assert body["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]}
    assert body["HostConfig"]["Binds"] == ["/var/lib/ecluse/_machine/edge:/run/ecluse"]
    assert body["Labels"]["ecluse.listen"] == "127.0.0.1:8000"


def test_the_port_that_docker_refuses_is_told_from_one_that_begins_like_it() -> None:
    listening = Listening("127.0.0.1", 4433, 443)
    assert listening.refused("Bind for 127.0.0.1:4433 failed: port is already allocated") == 4433
    assert listening.refused("Bind for 127.0.0.1:443 failed: port is already allocated") == 443
    assert listening.label == "127.0.0.1:4433 127.0.0.1:443"
    assert listening.beyond("127.0.0.1:443") == [4433]


def test_a_gateway_remembers_both_its_addresses() -> None:
    name, body = payloads.gateway(
        SITE, image="i", place=Place("n", "10.213.0.2"), edge_address="10.213.4.8", folder="/f"
    )
    assert name == "comptoir-test-gateway"
    assert body["Labels"]["ecluse.address"] == "10.213.0.2"
    assert body["Labels"]["ecluse.edge-address"] == "10.213.4.8"


def test_a_network_has_our_subnet_and_not_one_of_dockers() -> None:
    body = payloads.network("ecluse-comptoir-test", IPv4Network("10.213.8.0/22"), SITE.labels("network"))
    assert body["IPAM"] == {
        "Driver": "default",
        "Config": [{"Subnet": "10.213.8.0/22", "Gateway": "10.213.8.1"}],
    }


def test_files_travel_with_owner_and_mode() -> None:
    raw = payloads.archive([Packed("/config/app/.env", b"A=1\n", 0o440, 33, 34)], ["/config", "/config/app"])
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        found = [(entry.name, entry.isdir(), entry.mode, entry.uid, entry.gid) for entry in tar]
    assert found == [
        ("config", True, 0o755, 0, 0),
        ("config/app", True, 0o755, 0, 0),
        ("config/app/.env", False, 0o440, 33, 34),
    ]


def test_another_installation_has_names_of_its_own() -> None:
    assert labels.machine_id(Path("/var/lib/ecluse/_machine")) == ""
    other = Site(TARGET, labels.machine_id(Path("/tmp/x/_machine")))
    assert len(other.machine) == 6
    assert other.network == f"ecluse-comptoir-test-{other.machine}"
    assert other.replica("a", "web", 1) == f"comptoir-test-a-web-1-{other.machine}"
    assert other.marks != SITE.marks


def test_what_docker_lists_reads_back() -> None:
    listed = {
        "Id": "f00",
        "Names": ["/comptoir-test-invoicing-web-3"],
        "State": "running",
        "Labels": SITE.labels("replica", service="invoicing", process="web", number=3, address="10.213.1.4"),
    }
    item = labels.container(listed)
    assert (item.name, item.kind, item.service, item.process, item.number, item.address) == (
        "comptoir-test-invoicing-web-3", "replica", "invoicing", "web", 3, "10.213.1.4",
    )  # fmt: skip
