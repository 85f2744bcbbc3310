"""What runs in an environment, and what its gateway thinks of it. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.engines.docker import health
from ecluse.engines.docker.environment import Environment
from ecluse.engines.docker.gateway.routing import backend_name
from ecluse.engines.docker.house import tag
from ecluse.engines.docker.labels import Container
from ecluse.model.observed import Observed, Replica


async def observe(environment: Environment) -> Observed:
    machine, site, gateway = environment.machine, environment.site, environment.gateway
    network = await machine.ground.network(site)
    listed = await machine.containers.find(site.marks)
    volumes = tuple(sorted(await environment.volumes.list()))
    if network is None and not listed:
        return Observed(exists=False, volumes=volumes)
    routes = gateway.routes()
    entrance = routes.entrance or machine.listening.entrance(site.target.tls)
    gateways = [item for item in listed if item.kind == "gateway"]
    return Observed(
        exists=True,
        replicas=await _replicas(environment, listed),
        backing=await environment.backing.observe(),
        hosts={host: routes.backends[name].service for host, name in routes.hosts.items()},
        urls={host: entrance.address(host) for host in routes.hosts},
        volumes=volumes,
        gateway=next((item.status for item in gateways), None),
        tls=routes.entrance.tls if routes.entrance else None,
        certificate=gateway.certificate_expiry(),
        certificate_problem=gateway.certificate_problem(),
        outdated=_outdated([*gateways, *await machine.edge.found()]),
        lost=await _lost(environment, listed),
    )


async def _replicas(environment: Environment, listed: Sequence[Container]) -> tuple[Replica, ...]:
    standings = await environment.gateway.servers.standings()
    found = await environment.machine.containers.inspect_all(
        item for item in listed if item.kind == "replica"
    )
    return tuple(
        health.replica(item, inspected, standings.get((backend_name(item), item.name)))
        for item, inspected in found
    )


async def _lost(environment: Environment, listed: Sequence[Container]) -> tuple[str, ...]:
    """The proxies that nobody can tell anything any more, while something runs behind them."""
    gateway, kinds = environment.gateway, {item.kind for item in listed}
    is_lost = not gateway.folder.has_routes if "gateway" in kinds else "replica" in kinds
    edge = await environment.machine.edge.is_lost(is_needed=bool(gateway.routes().hosts))
    return (*(["edge"] if edge else []), *(["gateway"] if is_lost else []))


def _outdated(proxies: Sequence[Container]) -> tuple[str, ...]:
    return tuple(sorted(item.kind for item in proxies if item.image != tag("haproxy")))
