"""What a gateway should do, as data: backends, their servers, and the names that lead to them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.outside import Outside
from ecluse.model.product import Tls
from ecluse.model.workload import Workload


@dataclass(frozen=True, slots=True)
class Server:
    """One replica in traffic. `name` is that of its container.

    weight: its part of the requests, beside those of the others; with 0 it gets no new one.
    """

    name: str
    address: str
    port: int
    weight: int = 100


@dataclass(frozen=True, slots=True)
class Backend:
    """One process with a port. `check`: the path that its health is asked at, None for its open port."""

    service: str
    process: str
    port: int
    check: str | None = None
    interval: float = 1.0
    timeout: float = 2.0
    servers: tuple[Server, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.service}.{self.process}"

    @property
    def subject(self) -> str:
        return f"{self.service}/{self.process}"

    def server(self, name: str) -> Server | None:
        return next((server for server in self.servers if server.name == name), None)


@dataclass(frozen=True, slots=True)
class Entrance:
    """How the public comes in: the ports of the edge (https 0: none), and what is asked of HTTPS."""

    http: int = 80
    https: int = 0
    tls: Tls = field(default_factory=Tls)

    @property
    def is_secure(self) -> bool:
        return self.https != 0 and self.tls.mode != "off"

    def address(self, host: str) -> str:
        return self.tls.address(host, http=self.http, https=self.https)


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may call what. sources: address or subnet → service; calls: `caller/name` inside; outside:
    `caller/host:port`, for those that reach nothing else."""

    sources: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @staticmethod
    def of(service: str, uses: Iterable[str], outside: Iterable[str]) -> Callers:
        """What one service may call: itself, what it uses, and those URLs outside."""
        calls = tuple(f"{service}/{name}" for name in (*uses, service))
        return Callers(calls=calls, outside=tuple(f"{service}/{Outside.parse(url)}" for url in outside))

    def joined(self, other: Callers) -> Callers:
        calls = tuple(sorted({*self.calls, *other.calls}))
        outside = tuple(sorted({*self.outside, *other.outside}))
        return Callers({**self.sources, **other.sources}, calls, outside)

    @property
    def ports(self) -> tuple[int, ...]:
        """Where connections to the outside arrive."""
        return tuple(sorted({int(item.rpartition(":")[2]) for item in self.outside}))


@dataclass(frozen=True, slots=True)
class Routes:
    """A gateway's whole task. names: internal name → backend; hosts: public host → backend.

    entrance: None in the files of gateways that were never told of HTTPS.
    """

    backends: Mapping[str, Backend] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    entrance: Entrance | None = None
    callers: Callers = field(default_factory=Callers)

    @property
    def is_secure(self) -> bool:
        return self.entrance is not None and self.entrance.is_secure

    def server(self, backend: str, name: str) -> Server | None:
        found = self.backends.get(backend)
        return found.server(name) if found else None

    def with_server(self, backend: str, server: Server) -> Routes:
        old = self.backends[backend]
        kept = [item for item in old.servers if item.name != server.name]
        return self._with(replace(old, servers=(*kept, server)))

    def without_servers(self, backend: str, names: Iterable[str]) -> Routes:
        if backend not in self.backends:
            return self
        old, gone = self.backends[backend], set(names)
        return self._with(replace(old, servers=tuple(item for item in old.servers if item.name not in gone)))

    def at_rest(self, backend: str, names: Iterable[str]) -> Routes:
        """No new request goes to these servers."""
        if backend not in self.backends:
            return self
        old, resting = self.backends[backend], set(names)
        servers = (replace(item, weight=0) if item.name in resting else item for item in old.servers)
        return self._with(replace(old, servers=tuple(servers)))

    def _with(self, backend: Backend) -> Routes:
        return replace(self, backends={**self.backends, backend.name: backend})

    def dump(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @staticmethod
    def load(text: str) -> Routes:
        facts = json.loads(text)
        backends = {}
        for name, item in facts["backends"].items():
            servers = tuple(Server(**server) for server in item["servers"])
            backends[name] = Backend(**(item | {"servers": servers}))
        return Routes(
            backends,
            facts["names"],
            facts["hosts"],
            _entrance(facts.get("entrance")),
            _callers(facts.get("callers")),
        )


def _entrance(facts: Mapping[str, Any] | None) -> Entrance | None:
    return Entrance(facts["http"], facts["https"], Tls(**facts["tls"])) if facts else None


def _callers(facts: Mapping[str, Any] | None) -> Callers:
    if not facts:
        return Callers()
    return Callers(facts["sources"], tuple(facts["calls"]), tuple(facts.get("outside", ())))


def backend_name(of: Workload | Container) -> str:
    """Of the process: no service has a dot in its name."""
    return f"{of.service}.{of.process}"


def routed(workloads: Iterable[Workload], before: Routes) -> Routes:
    """The routes of exactly these workloads; the servers of those that were there already stay in traffic.

    They also keep their health check: another one would be that of replicas that are not there yet.
    """
    backends, names, hosts = {}, {}, {}
    for workload in workloads:
        if workload.spec.port is None:
            continue
        old = before.backends.get(backend_name(workload))
        backend = old if old and old.servers else wanted_backend(workload)
        backends[backend.name] = backend
        if workload.name:
            names[workload.name] = backend.name
        if workload.host:
            hosts[workload.host.lower()] = backend.name
    return Routes(backends, names, hosts, before.entrance, before.callers)


def wanted_backend(workload: Workload, servers: tuple[Server, ...] = ()) -> Backend:
    spec = workload.spec
    assert spec.port is not None, f"{workload.subject} has no port"
    return Backend(
        service=str(workload.service),
        process=workload.process,
        port=spec.port,
        check=spec.probe.path,
        interval=max(1.0, spec.probe.interval),
        timeout=spec.probe.timeout,
        servers=servers,
    )


def recovered(workloads: Iterable[Workload], sound: Iterable[Container]) -> Routes:
    """The routes of what runs, as its labels tell."""
    replicas, backends = list(sound), {}
    for workload in workloads:
        port = workload.spec.port
        if port is None:
            continue
        servers = tuple(
            Server(item.name, item.address, port)
            for item in replicas
            if (item.service, item.process) == (str(workload.service), workload.process)
        )
        backends[backend_name(workload)] = wanted_backend(workload, servers)
    return Routes(backends)


def joined(routes: Routes, workload: Workload) -> Routes:
    """`routes` with this workload's as it should be from now on, health check included."""
    alone = routed([workload], Routes())
    old = routes.backends.get(backend_name(workload))
    backend = wanted_backend(workload, old.servers if old else ())
    return Routes(
        {**routes.backends, backend.name: backend},
        {**routes.names, **alone.names},
        {**routes.hosts, **alone.hosts},
        routes.entrance,
        routes.callers,
    )


def asks_otherwise(routes: Routes, workload: Workload) -> bool:
    """Would `joined` change the health check of servers that are in traffic?"""
    old = routes.backends.get(backend_name(workload))
    return bool(old and old.servers) and old != wanted_backend(workload, old.servers if old else ())
