"""The gateway of an environment: one HAProxy whose files say what it should do, kept in step while it runs."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path

from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.gateway.admin import Admin
from ecluse.engines.docker.gateway.edge import Edge
from ecluse.engines.docker.gateway.folder import Folder
from ecluse.engines.docker.gateway.proxy import Proxy
from ecluse.engines.docker.gateway.routing import Routes
from ecluse.engines.docker.gateway.servers import Servers
from ecluse.engines.docker.gateway.vessel import Vessel
from ecluse.engines.docker.ground import Ground, Network
from ecluse.engines.docker.https.authority import Authority
from ecluse.engines.docker.https.certification import Certification
from ecluse.engines.docker.keepsakes import Keepsakes
from ecluse.engines.docker.labels import Site
from ecluse.engines.docker.reach import Reach


class Gateway:
    """One environment's gateway. The files are the truth; the running process is brought to them.

    `preparation`, `traffic` and `renewal` change what it does, each under the lock.
    """

    def __init__(
        self,
        site: Site,
        *,
        state: Path,
        machine: Path,
        client: Client,
        containers: Containers,
        ground: Ground,
        edge: Edge,
        authority: Authority,
        reach: Reach,
        keepsake: bytes,
        keepsakes: Keepsakes,
    ) -> None:
        self._site = site
        self._edge = edge
        self.authority = authority
        path = state / "gateway" / str(site.target.environment)
        admin = Admin(path, who=site.gateway)
        self.folder = Folder(path, who=site.gateway)
        self.certification = Certification(path, site.target, machine=machine, authority=authority)
        self.servers = Servers(admin, who=site.gateway)
        self.proxy = Proxy(
            site.gateway,
            folder=self.folder,
            admin=admin,
            servers=self.servers,
            certification=self.certification,
            client=client,
        )
        self.vessel = Vessel(
            site,
            folder=self.folder,
            admin=admin,
            containers=containers,
            ground=ground,
            edge=edge,
            reach=reach,
            keepsake=keepsake,
            keepsakes=keepsakes,
        )

    def lock(self) -> AbstractAsyncContextManager[None]:
        return self.folder.lock()

    def routes(self) -> Routes:
        """What the gateway should do by its file."""
        return self.folder.routes()

    def certificate_expiry(self) -> datetime | None:
        """Until when the certificate is valid that the gateway shows."""
        return self.certification.expiry() if self.routes().is_secure else None

    def certificate_problem(self) -> str | None:
        """Why there is no newer one, where an ACME server was asked in vain."""
        return self.certification.problem() if self.routes().is_secure else None

    async def apply(self, network: Network, routes: Routes) -> str:
        """Files first, then the process: killed in between, the next call goes on from the files. Gives the address
        on the edge's network."""
        await self.certification.provide(routes)
        if not self.folder.is_applied(routes) and await self.proxy.answers():
            await self.proxy.check(routes)
        self.folder.write(routes)
        address = await self.vessel.run(network)
        await self.proxy.follow(routes)
        return address

    async def remove(self) -> None:
        """Takes the environment off the edge, removes the gateway and its files."""
        await self._edge.withdraw(self._site)
        await self.vessel.remove()
        self.folder.remove()
