"""Is what runs just what a workload says, whatever its mark? Compares with the containers themselves.

For when marks cannot be compared: they follow from the fingerprints of secrets, and so from a key that may be gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ecluse.engines.docker import labels, payloads
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.labels import Container, Site
from ecluse.model.workload import Workload

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN = frozenset({labels.BOX, labels.VERSION})
"""What may differ: the mark itself, and the word for a version whose content is the same."""


class Likeness:
    def __init__(self, site: Site, *, client: Client, containers: Containers, dressing: Dressing) -> None:
        self._site = site
        self._client = client
        self._containers = containers
        self._dressing = dressing

    async def holds(self, workload: Workload, replicas: Sequence[Container]) -> bool:
        """For every replica of the process; there must be as many as are wanted."""
        image = await self._client.call(
            "GET", f"images/{workload.box.release.image_id}/json", what="look at an image"
        )
        found = await self._containers.inspect_all(replicas)
        return len(found) == workload.replicas and all(
            [await self._is_like(workload, item, seen, image["Config"]) for item, seen in found]
        )

    async def _is_like(
        self, workload: Workload, item: Container, seen: Mapping[str, Any], image: Mapping[str, Any]
    ) -> bool:
        box = workload.box
        network = self._site.network_of(workload.service, closed=box.outside is not None)
        place = payloads.Place(network, item.address)
        _, body = payloads.replica(
            self._site, workload, number=item.number, place=place, env=self._dressing.env(box)
        )
        return _facts(body, image) == _facts_of(seen, body["Labels"]) and await self._has_files(
            workload, item
        )

    async def _has_files(self, workload: Workload, item: Container) -> bool:
        for file in workload.box.files:
            if await self._containers.read(item.id, file.path) != self._dressing.text(file.content).encode():
                return False
        return True


def _facts(body: payloads.Body, image: Mapping[str, Any]) -> list[object]:
    """What the container must be like that Docker makes of this, from this image."""
    host = body["HostConfig"]
    return [
        body["Image"],
        _variables(image.get("Env")) | _variables(body["Env"]),
        body.get("Cmd") or image.get("Cmd"),
        host["NetworkMode"],
        host.get("NanoCpus", 0),
        host.get("Memory", 0),
        {key: text for key, text in body["Labels"].items() if key not in _OWN},
    ]


def _facts_of(seen: Mapping[str, Any], marks: Collection[str]) -> list[object]:
    """The same of a container; of its labels, some of which come with the image, those that we give."""
    config, host = seen["Config"], seen["HostConfig"]
    return [
        seen["Image"],
        _variables(config.get("Env")),
        config.get("Cmd"),
        host["NetworkMode"],
        host.get("NanoCpus", 0),
        host.get("Memory", 0),
        {key: config["Labels"].get(key) for key in marks if key not in _OWN},
    ]


def _variables(listed: Sequence[str] | None) -> dict[str, str]:
    """Docker gives those without one a PATH."""
    found = {key: text for key, _, text in (entry.partition("=") for entry in listed or ())}
    return {"PATH": _PATH} | found
