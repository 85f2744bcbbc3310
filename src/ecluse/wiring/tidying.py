"""Which images of a product are kept: what runs, what is known good or was, and the newest releases of each service."""

from __future__ import annotations

import os

from ecluse.model.names import ProductName
from ecluse.wiring.state import ProductState

KEPT_DEPLOYMENTS = 10
"""As far back as `ecluse rollback` finds its images for certain."""


async def needed_images(state: ProductState) -> set[str]:
    """The ids of images that an environment runs, or may be brought back to."""
    needed: set[str] = set()
    engine = state.engine()
    try:
        for name in state.records.environments():
            if (target := state.target(name)) is not None:
                needed |= {replica.image_id for replica in (await engine.observe(target)).replicas}
            ended = state.records.deployments(name, limit=KEPT_DEPLOYMENTS, runs=False)
            for number in (None, *(item.number for item in ended if item.state == "succeeded")):
                good = state.records.known_good(name, at=number)
                needed |= {app.release.image_id for app in good.applications.values()}
    finally:
        await engine.close()
    return needed


def discard_images(state: ProductState, needed: set[str]) -> tuple[str, ...]:
    """Removes the others, past the newest of each service; gives their names."""
    from ecluse.images.client import find_docker
    from ecluse.images.garbage import unneeded
    from ecluse.images.releases import DockerReleases

    releases = DockerReleases(ProductName(state.product), find_docker(os.environ))
    doomed = unneeded(releases.list(), needed=needed, keep=state.settings.keep_releases)
    return releases.discard(doomed)
