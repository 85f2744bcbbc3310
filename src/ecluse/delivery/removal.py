"""The plan to take an environment down. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecluse.model.deployment import KnownGood
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Change, Plan, Step


def removal_plan(environment: str, known: KnownGood, observed: Observed, *, volumes: bool) -> Plan:
    services = sorted({*known.applications, *(replica.service for replica in observed.replicas)})
    return Plan(
        environment=environment,
        kind="down",
        revision=known.revision or "",
        steps=tuple(Step(service, _version(known, service), None) for service in services),
        changes=tuple(_removals(services, observed, volumes=volumes)),
        running=len(observed.replicas),
    )


def _removals(services: Sequence[ServiceName], observed: Observed, *, volumes: bool) -> Iterator[Change]:
    """Services, then what stands behind them, then the ground; erasing is what the end of `down` does."""
    for service in services:
        for process in sorted({replica.process for replica in observed.of(service)}):
            ids = tuple(replica.id for replica in observed.of(service, process))
            yield Change("remove", f"{service}/{process}", service, process, expects=ids)
    for item in observed.backing:
        yield Change("withdraw", item.name, part=item.name, expects=(item.id,))
    if observed.exists:
        yield Change("erase", "gateway and network")
    for volume in observed.volumes if volumes else ():
        yield Change("erase", f"volume {volume}", note="its data is gone")


def _version(known: KnownGood, service: ServiceName) -> str | None:
    application = known.applications.get(service)
    return application.release.version if application else None
