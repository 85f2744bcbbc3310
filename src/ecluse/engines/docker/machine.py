"""What all environments of one product share on this machine: the way to Docker, the ground, the edge, the vault."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.gateway.edge import Edge
from ecluse.engines.docker.gateway.listening import Listening
from ecluse.engines.docker.ground import Ground
from ecluse.engines.docker.house import House
from ecluse.engines.docker.https.authority import Authority
from ecluse.engines.docker.keepsakes import Keepsakes
from ecluse.engines.docker.labels import machine_id
from ecluse.ports import Vault


class Machine:
    """state: private folder of the product. folder: private folder shared by the products of this machine."""

    def __init__(
        self,
        *,
        client: Client,
        vault: Vault,
        state: Path,
        folder: Path,
        listening: Listening,
        keepsake: bytes,
    ) -> None:
        self.state = state.absolute()
        self.folder = folder.absolute()
        self.keepsake = keepsake
        self.client = client
        self.listening = listening
        self.containers = Containers(client)
        self.dressing = Dressing(vault, self.containers)
        self.ground = Ground(client, self.containers, self.folder)
        self.house = House(client, self.folder)
        self.keepsakes = Keepsakes(self.containers, machine_id(self.folder))
        self.authority = Authority(self.folder, self.keepsakes.authority)
        self.edge = Edge(
            machine=self.folder,
            listening=listening,
            containers=self.containers,
            ground=self.ground,
            house=self.house,
            keepsakes=self.keepsakes,
        )
