"""What stands around a container that failed, asked of Docker once it did."""

from __future__ import annotations

from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.labels import Site
from ecluse.engines.docker.symptoms import sharpened
from ecluse.errors import EcluseError
from ecluse.model.cause import RolloutFailed
from ecluse.model.workload import Box


async def explained(error: EcluseError, site: Site, containers: Containers, box: Box) -> EcluseError:
    """The same failure, its cause sharpened; what cannot be asked sharpens nothing."""
    if not isinstance(error, RolloutFailed):
        return error
    try:
        found = await neighbours(site, containers, box)
    except EcluseError:
        found = {}
    return RolloutFailed(sharpened(error.cause, box, found))


async def neighbours(site: Site, containers: Containers, box: Box) -> dict[str, bool]:
    """Every service and backing service of the environment → does it run? Those that the box names and that are not
    there count as not running."""
    found = {str(name): False for name in box.uses}
    for item in await containers.find(site.marks):
        name = item.service if item.kind == "replica" else item.backing
        if name and item.kind in ("replica", "backing"):
            found[name] = found.get(name, False) or item.is_running
    return found
