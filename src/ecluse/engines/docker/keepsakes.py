"""What the containers of gateways keep for the day on which a folder of the state is gone: files that root alone reads.

They lie in the container, not in a folder that is mounted: they go with the container, and with nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.engines.docker import labels
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.https.certificates import Pair
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.payloads import Packed

FOLDER = "/var/lib/ecluse"
KEY = f"{FOLDER}/keepsake"
HOSTS = f"{FOLDER}/hosts"
AUTHORITY = f"{FOLDER}/authority"


@dataclass(frozen=True, slots=True)
class Keepsakes:
    """Of the gateways of one machine, of whatever product. machine: as in their labels."""

    containers: Containers
    machine: str

    async def gateways(self) -> list[Container]:
        return await self.containers.find({labels.MACHINE: self.machine}, kind="gateway")

    async def leave(self, container: str, path: str, content: bytes) -> None:
        """Puts a file in, unless it is there already."""
        if await self.containers.read(container, path) != content:
            await self.containers.put(container, [Packed(path, content, 0o400, 0, 0)])

    async def leave_hosts(self, container: str, hosts: Sequence[str]) -> None:
        await self.leave(container, HOSTS, json.dumps(sorted(hosts)).encode())

    async def hosts(self, container: str) -> list[str]:
        """The public hosts that a gateway had last; none where it keeps none."""
        kept = await self.containers.read(container, HOSTS)
        return [str(host) for host in json.loads(kept)] if kept else []

    async def leave_authority(self, container: str, pair: Pair) -> None:
        await self.leave(container, AUTHORITY, json.dumps([pair.certificate, pair.key]).encode())

    async def authority(self) -> Pair | None:
        """The local authority of the machine, of which each gateway keeps a copy."""
        for item in await self.gateways():
            if kept := await self.containers.read(item.id, AUTHORITY):
                certificate, key = json.loads(kept)
                return Pair(certificate, key)
        return None
