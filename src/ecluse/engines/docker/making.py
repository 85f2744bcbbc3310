"""Makes the containers of a box: at a free address, with the names, variables and files that it should find inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ecluse.engines.docker import addresses, refusals
from ecluse.engines.docker.client import ApiError
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.ground import Ground, Network, held
from ecluse.engines.docker.labels import Container, Site
from ecluse.engines.docker.output import Mask
from ecluse.engines.docker.payloads import Body, Place
from ecluse.engines.docker.reach import Reach
from ecluse.model.cause import RolloutFailed
from ecluse.model.workload import Box

Payload = Callable[[Sequence[Container], Place, Mapping[str, str]], tuple[str, Body]]
"""From the containers that are there, a place and the variables to name and body of a new container. Pure."""


class Making:
    """subject: whose box it is. What Docker refuses is raised as RolloutFailed."""

    def __init__(
        self,
        site: Site,
        subject: str,
        box: Box,
        *,
        network: Network,
        containers: Containers,
        ground: Ground,
        reach: Reach,
        dressing: Dressing,
    ) -> None:
        self._site = site
        self._subject = subject
        self._box = box
        self._network = network
        self._containers = containers
        self._ground = ground
        self._reach = reach
        self._dressing = dressing
        self.mask: Mask = dressing.mask(box)

    async def create(self, payload: Payload) -> Container:
        hosts = await self._reach.names(self._network, self._box, subject=self._subject)
        env = self._dressing.env(self._box)
        marks: dict[str, str] = {}

        def choose(found: Sequence[Container], network: Network) -> tuple[str, Body]:
            address = addresses.free_address(network.subnet, held(found), addresses.REPLICA_OFFSETS)
            name, body = payload(found, Place(network.name, address, hosts), env)
            marks.update(body["Labels"])
            return name, body

        with self._refusals():
            identity, name = await self._ground.settle(self._site, self._network, choose)
        return Container(identity, name, "created", marks)

    async def start(self, item: Container) -> None:
        with self._refusals():
            await self._dressing.dress(item.id, self._box, subject=self._subject)
            await self._containers.start(item.id, name=item.name)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            reason, image = self.mask.hide(error.reason), self._box.release.image_id
            raise RolloutFailed(refusals.refused(self._subject, image, reason)) from error
