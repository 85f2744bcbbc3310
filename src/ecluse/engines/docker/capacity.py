"""What the Docker machine has, and what its containers may take."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ecluse.engines.docker import addresses
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.ground import Ground
from ecluse.engines.docker.labels import Container, Site
from ecluse.model.capacity import Capacity, Holding
from ecluse.model.names import ServiceName


async def read_capacity(site: Site, client: Client, containers: Containers, ground: Ground) -> Capacity:
    """Counts every running container of the machine, ours or not."""
    facts, running = await asyncio.gather(
        client.call("GET", "info", what="look at the engine"), containers.find({})
    )
    inspected = await containers.inspect_all([item for item in running if item.is_running])
    mine = [item for item in running if item.address and item.is_of(site)]
    taken = Counter(ServiceName(item.service) for item in mine if item.service)
    there = {ServiceName(network.service): 0 for network in await ground.of_services(site)}
    return Capacity(
        memory=facts["MemTotal"],
        cpu=facts["NCPU"] * 1000,
        disk_free=_free(facts["DockerRootDir"]),
        addresses=len(addresses.REPLICA_OFFSETS),
        taken=there | taken,
        networks=await ground.room(),
        holdings=tuple(_holding(site, item, found) for item, found in inspected),
        engine=str(facts.get("ID") or ""),
    )


def _holding(site: Site, item: Container, inspected: Mapping[str, Any]) -> Holding:
    host = inspected["HostConfig"]
    return Holding(
        owner=site.target.slug if item.is_of(site) else "",
        subject=item.subject if item.kind == "replica" else item.name,
        memory=host.get("Memory") or 0,
        cpu=(host.get("NanoCpus") or 0) // 1_000_000,
    )


def _free(folder: str) -> int | None:
    """None where the folder is not to be seen: another machine, or no right to look."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
