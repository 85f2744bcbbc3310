"""Reads the status of environments. Acts on nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecluse.delivery.queue import blocker
from ecluse.model.backup import Protection
from ecluse.model.deployment import KnownGood, Pending
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.product import Environment
from ecluse.model.status import EnvironmentStatus, ServiceStatus
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.protection import read_protection


async def read_status(
    product: OpenProduct, environments: Sequence[Environment], *, runner_is_there: bool
) -> list[EnvironmentStatus]:
    state = product.reading
    pending = state.records.unfinished()
    engine = state.engine()
    try:
        return [
            _status(
                environment,
                await engine.observe(product.target(environment)),
                state.records.known_good(environment.name),
                _waiting([item for item in pending if item.environment == environment.name]),
                read_protection(state, environment.name),
                runner_is_there=runner_is_there,
            )
            for environment in environments
        ]
    finally:
        await engine.close()


def _status(
    environment: Environment,
    observed: Observed,
    known: KnownGood,
    pending: Sequence[Pending],
    protection: Sequence[Protection],
    *,
    runner_is_there: bool,
) -> EnvironmentStatus:
    names = sorted({*known.applications, *(replica.service for replica in observed.replicas)})
    return EnvironmentStatus(
        environment=environment.name,
        exists=observed.exists,
        gateway=observed.gateway,
        services=tuple(_service(name, observed, known) for name in names),
        backing=observed.backing,
        pending=tuple(pending),
        interrupted=bool(pending) and not runner_is_there,
        volumes=observed.volumes,
        certificate=observed.certificate,
        certificate_problem=observed.certificate_problem,
        outdated=observed.outdated,
        lost=observed.lost,
        protection=tuple(protection),
    )


def _waiting(pending: Sequence[Pending]) -> list[Pending]:
    found = [(item, blocker(item, pending)) for item in pending]
    return [replace(item, waits_for=holder.number if holder else None) for item, holder in found]


def _service(name: ServiceName, observed: Observed, known: KnownGood) -> ServiceStatus:
    application = known.applications.get(name)
    processes = application.processes if application else {}
    hosts = [host for host, service in (observed.hosts or {}).items() if service == name]
    urls = [(observed.urls or {}).get(host) for host in hosts]
    return ServiceStatus(
        service=name,
        version=application.release.version if application else None,
        commit=application.release.commit if application else None,
        deployment=known.deployments.get(name),
        wanted={process.name: process.replicas for process in processes.values()},
        replicas=observed.of(name),
        url=next((url for url in urls if url), None),
        external=application.external if application else (),
    )
