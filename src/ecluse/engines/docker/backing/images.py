"""Where the image of a backing service comes from: built here, or somebody else's, which must be here already."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ecluse.engines.docker.backing.databases import RECIPES
from ecluse.engines.docker.house import House
from ecluse.model.application import BackingService
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.event import Event


class Images:
    def __init__(self, house: House) -> None:
        self._house = house

    async def name(self, backing: BackingService) -> str:
        """Of its image, which is here then."""
        return backing.image or await self._house.ensure(RECIPES[backing.kind].image, backing.version)

    async def find(self, backing: BackingService) -> AsyncIterator[Event]:
        """Tells that one is to be built; RolloutFailed where it is of somebody else, and not here."""
        image = RECIPES[backing.kind].image
        if backing.image is None:
            if not await self._house.has(image, backing.version):
                yield Event("backing", backing.name, f"building the image of {image} {backing.version}")
        elif not await self._house.has_image(backing.image):
            raise RolloutFailed(_missing(backing.name, backing.image))


def _missing(name: str, image: str) -> Cause:
    return Cause(
        "image-missing",
        name,
        f"the image of {name} is not on this machine: {image}",
        (f"{image}: not among the images of this machine",),
        hint=f"docker pull {image}",
    )
