"""Whether a plan fits on its engine. Pure: figures in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator

from ecluse.delivery.differences import cores, size
from ecluse.model.application import Desired
from ecluse.model.capacity import Capacity
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change, Plan
from ecluse.model.service import Process

LEAST_DISK = 2**30
_BRINGING = frozenset({"create", "replace", "scale"})


def shortages(capacity: Capacity, desired: Desired, plan: Plan) -> list[str]:
    """Why the plan cannot fit, each with its figures: memory, addresses, disk, a process larger than the machine."""
    coming = dict(_coming(desired, plan))
    if not coming:
        return []
    return [
        *_memory(capacity, desired, plan, coming),
        *_addresses(capacity, desired, plan),
        *_networks(capacity, plan),
        *_disk(capacity),
        *_processors(capacity, coming),
    ]


def _coming(desired: Desired, plan: Plan) -> Iterator[tuple[str, Process]]:
    for change in plan.changes:
        if _brings(change) and change.service is not None:
            yield change.subject, desired.applications[change.service].processes[change.part]


def _memory(capacity: Capacity, desired: Desired, plan: Plan, coming: dict[str, Process]) -> Iterator[str]:
    """Limits may not add up to more than there is: the kernel would choose what to end."""
    leaving = {change.subject for change in plan.changes if change.action == "remove"} | set(coming)
    staying = sum(
        item.memory
        for item in capacity.holdings
        if item.owner != desired.target.slug or item.subject not in leaving
    )
    wanted = sum((process.memory or 0) * process.replicas for process in coming.values())
    if staying + wanted > capacity.memory:
        yield (
            f"memory: the plan needs {_size(wanted)}, other containers may take {_size(staying)}, "
            f"and the machine has {_size(capacity.memory)}"
        )


def _addresses(capacity: Capacity, desired: Desired, plan: Plan) -> Iterator[str]:
    """New replicas come before old ones go, all in the network of their service."""
    for service in _bringing(plan):
        parts = [change.part for change in plan.changes if change.service == service and _brings(change)]
        processes = desired.applications[service].processes
        wanted = sum(processes[part].replicas for part in parts)
        free = capacity.addresses - capacity.taken.get(service, 0)
        if wanted > free:
            yield f"addresses: {service} needs {wanted} new ones, and {free} are free in its network"


def _networks(capacity: Capacity, plan: Plan) -> Iterator[str]:
    wanted = sum(service not in capacity.taken for service in _bringing(plan))
    if wanted > capacity.networks:
        yield f"networks: the plan needs {wanted} new ones, and the machine has room for {capacity.networks}"


def _bringing(plan: Plan) -> list[ServiceName]:
    return sorted({change.service for change in plan.changes if _brings(change) and change.service})


def _brings(change: Change) -> bool:
    return change.action in _BRINGING


def _disk(capacity: Capacity) -> Iterator[str]:
    if capacity.disk_free is not None and capacity.disk_free < LEAST_DISK:
        free, least = _size(capacity.disk_free), _size(LEAST_DISK)
        yield f"disk: {free} are free where Docker keeps its data, and {least} are needed"


def _processors(capacity: Capacity, coming: dict[str, Process]) -> Iterator[str]:
    for subject, process in coming.items():
        if process.cpu is not None and process.cpu > capacity.cpu:
            yield f"cpu: {subject} asks for {cores(process.cpu)} cores, and the machine has {cores(capacity.cpu)}"


def _size(count: int) -> str:
    """Exact when it is written so, otherwise in whole mebibytes."""
    exact = size(count)
    return exact if exact and exact.endswith(("Gi", "Mi")) else f"{count // 2**20}Mi"
