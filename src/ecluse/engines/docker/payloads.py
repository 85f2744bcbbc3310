"""What is sent to Docker to make containers, networks and volumes. Pure: returns data, runs nothing."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any, Literal

from ecluse.engines.docker import labels
from ecluse.engines.docker.addresses import at
from ecluse.engines.docker.gateway.haproxy import FOLDER
from ecluse.engines.docker.gateway.listening import Listening
from ecluse.engines.docker.labels import Container, Site
from ecluse.model.workload import Box, Run, Workload

Body = dict[str, Any]

HouseImage = Literal["haproxy", "mariadb", "postgresql", "redis", "s3"]
HOUSE_VERSIONS: Mapping[HouseImage, Mapping[str, str]] = {
    "haproxy": {"2.6": "debian:12-slim"},
    "mariadb": {"10.11": "debian:12-slim", "10.5": "debian:11-slim"},
    "postgresql": {"15": "debian:12-slim", "13": "debian:11-slim"},
    "redis": {"7.0": "debian:12-slim", "6.0": "debian:11-slim"},
    "s3": {"2.30": "debian:12-slim"},
}
"""Of each image the versions that Debian's packages give, and the base of each; the usual one first."""

LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
ALWAYS = {"Name": "always"}
"""Not `unless-stopped`: Docker 20.10 takes for stopped by hand what it ends itself when it comes back from a crash."""
NEVER = {"Name": "no"}
NO_ROUTER = {"net.ipv4.ip_forward": "0"}
"""For what is on several networks: it must not carry packets from one to another."""
RUN_GRACE_SECONDS = 10
PROXY_GRACE_SECONDS = 5
BACKING_GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container is put: its network, its address there, and the names that it can resolve."""

    network: str
    address: str
    hosts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packed:
    """A file on its way into a container: owner and group are numbers."""

    path: str
    content: bytes
    mode: int
    uid: int
    gid: int


def network(name: str, subnet: IPv4Network, marks: Mapping[str, str]) -> Body:
    """One that is marked as closed has no way out of this machine."""
    inside: Body = {"Internal": True} if labels.CLOSED in marks else {}
    return inside | {
        "Name": name,
        "CheckDuplicate": True,
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Config": [{"Subnet": str(subnet), "Gateway": at(subnet, 1)}]},
        "Labels": dict(marks),
    }


def volume(name: str, marks: Mapping[str, str]) -> Body:
    return {"Name": name, "Labels": dict(marks)}


def replica(
    site: Site, workload: Workload, *, number: int, place: Place, env: Mapping[str, str]
) -> tuple[str, Body]:
    """Name and body of one replica. It restarts by itself only once it has been ready: see `restarting`."""
    box = workload.box
    marks = site.labels(
        "replica",
        service=workload.service,
        process=workload.process,
        number=number,
        **_inside(box, place),
    )
    body = _boxed(box, marks, place, env)
    body["StopTimeout"] = _seconds(workload.spec.stop_grace)
    body["HostConfig"]["RestartPolicy"] = NEVER
    return site.replica(workload.service, workload.process, number), body


def restarting() -> Body:
    """The update that makes a container come back by itself (Docker waits longer each time, up to a minute)."""
    return {"RestartPolicy": ALWAYS}


def run(site: Site, run: Run, *, place: Place, env: Mapping[str, str]) -> tuple[str, Body]:
    box = run.box
    marks = site.labels(
        "run",
        service=run.service,
        run=run.name,
        key=run.key,
        **_inside(box, place),
    )
    body = _boxed(box, marks, place, env)
    body["StopTimeout"] = RUN_GRACE_SECONDS
    return site.run(run.service, run.name, run.key), body


def debug(
    site: Site, beside: Container, *, image: str, env: Mapping[str, str], mark: str, holder: str
) -> tuple[str, Body]:
    """A container that waits beside another: the same network (and so the same names) and processes.

    holder: the process that removes it in the end."""
    marks = site.labels("run", service=beside.service, run="debug", key=mark, image=image, holder=holder)
    body = _container(
        image, marks, Place(f"container:{beside.id}", ""), command=("sleep", "infinity"), env=env
    )
    host = body["HostConfig"]
    # names and addresses come with the network of the other container
    del body["NetworkingConfig"], host["ExtraHosts"]
    host |= {"PidMode": f"container:{beside.id}", "Init": False, "CapAdd": ["SYS_PTRACE"]}
    body["StopTimeout"] = 1
    return site.run(beside.service, "debug", mark), body


def gateway(site: Site, *, image: str, place: Place, edge_address: str, folder: str) -> tuple[str, Body]:
    marks = site.labels("gateway", address=place.address, edge_address=edge_address, image=image)
    return site.gateway, _proxy(image, marks, place, folder)


def edge(*, machine: str, image: str, place: Place, folder: str, listening: Listening) -> Body:
    marks = {
        labels.KIND: "edge",
        labels.MACHINE: machine,
        labels.ADDRESS: place.address,
        labels.IMAGE: image,
        labels.LISTEN: listening.label,
    }
    body = _proxy(image, marks, place, folder)
    # Docker publishes nothing, silently, unless the port is exposed too
    body["ExposedPorts"] = {inside: {} for inside in listening.published}
    body["HostConfig"]["PortBindings"] = {
        inside: [{"HostIp": listening.address, "HostPort": str(port)}]
        for inside, port in listening.published.items()
    }
    return body


def backing(
    image: str,
    marks: Mapping[str, str],
    place: Place,
    *,
    command: Sequence[str],
    env: Mapping[str, str],
    mounts: Mapping[str, str],
    cpu: int | None,
    memory: int | None,
) -> Body:
    """mounts: volume → where its data is inside."""
    body = _container(image, marks, place, command=command, env=env, cpu=cpu, memory=memory)
    body["StopTimeout"] = BACKING_GRACE_SECONDS
    body["HostConfig"] |= {"RestartPolicy": ALWAYS, "Sysctls": NO_ROUTER}
    body["HostConfig"]["Mounts"] = _mounted(mounts)
    return body


def trial(
    image: str,
    marks: Mapping[str, str],
    *,
    command: Sequence[str],
    env: Mapping[str, str],
    cpu: int | None,
    memory: int | None,
    mounts: Mapping[str, str],
) -> Body:
    """A backing service that reaches nobody, and whose data goes with it where no volume is mounted."""
    body = _container(image, marks, Place("none", ""), command=command, env=env, cpu=cpu, memory=memory)
    del body["NetworkingConfig"], body["HostConfig"]["ExtraHosts"]
    body["HostConfig"] |= {"RestartPolicy": NEVER, "Mounts": _mounted(mounts)}
    return body


def joining(container: str, address: str) -> Body:
    """Puts a container on one more network."""
    return {"Container": container, "EndpointConfig": {"IPAMConfig": {"IPv4Address": address}}}


def leaving(container: str) -> Body:
    return {"Container": container, "Force": True}


def archive(files: Iterable[Packed], folders: Iterable[str] = ()) -> bytes:
    """A tar of `files` and of the folders that must be made for them (0755, root)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for folder in folders:
            entry = tarfile.TarInfo(folder.lstrip("/"))
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o755
            tar.addfile(entry)
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.uid, file.gid
            tar.addfile(entry, io.BytesIO(file.content))
    return stream.getvalue()


def _mounted(mounts: Mapping[str, str]) -> list[Body]:
    return [{"Type": "volume", "Source": volume, "Target": path} for volume, path in mounts.items()]


def _proxy(image: str, marks: Mapping[str, str], place: Place, folder: str) -> Body:
    body = _container(image, marks, place)
    body["StopTimeout"] = PROXY_GRACE_SECONDS
    body["HostConfig"] |= {"RestartPolicy": ALWAYS, "Sysctls": NO_ROUTER}
    body["HostConfig"]["Binds"] = [f"{folder}:{FOLDER}"]
    body["HostConfig"]["Init"] = False
    # HAProxy sizes its tables by this limit, which is a million on many machines
    body["HostConfig"]["Ulimits"] = [{"Name": "nofile", "Soft": 20000, "Hard": 20000}]
    return body


def _inside(box: Box, place: Place) -> dict[str, str]:
    """The labels that tell what a container was made from, and whom it may reach."""
    return {
        "box": box.digest,
        "version": box.release.version,
        "image": box.release.image_id,
        "address": place.address,
        **({"outside": " ".join(box.outside)} if box.outside else {}),
        "uses": " ".join(box.uses),
        "uses_backing": " ".join(box.backing),
    }


def _boxed(box: Box, marks: Mapping[str, str], place: Place, env: Mapping[str, str]) -> Body:
    body = _container(
        box.release.image_id, marks, place, command=box.command, env=env, cpu=box.cpu, memory=box.memory
    )
    # raw sockets could speak for others on the network
    body["HostConfig"]["CapDrop"] = ["NET_RAW"]
    return body


def _container(
    image: str,
    marks: Mapping[str, str],
    place: Place,
    *,
    command: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    cpu: int | None = None,
    memory: int | None = None,
) -> Body:
    host: Body = {
        "NetworkMode": place.network,
        "ExtraHosts": [f"{name}:{address}" for name, address in sorted(place.hosts.items())],
        "Init": True,
        "LogConfig": LOG,
        "SecurityOpt": ["no-new-privileges"],
    }
    if cpu is not None:
        host["NanoCpus"] = cpu * 1_000_000
    if memory is not None:
        host |= {"Memory": memory, "MemorySwap": memory}
    body: Body = {
        "Image": image,
        "Labels": dict(marks),
        "Env": [f"{key}={value}" for key, value in sorted((env or {}).items())],
        "HostConfig": host,
        "NetworkingConfig": {
            "EndpointsConfig": {place.network: {"IPAMConfig": {"IPv4Address": place.address}}}
        },
    }
    if command:
        body["Cmd"] = list(command)
    return body


def _seconds(duration: float) -> int:
    return max(1, round(duration))
