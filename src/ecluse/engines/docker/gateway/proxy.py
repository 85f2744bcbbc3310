"""The HAProxy of a gateway while it runs, brought to its files: by commands, by a reload where none would do."""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.engines.docker.client import Client
from ecluse.engines.docker.gateway import configuration, haproxy, runtime
from ecluse.engines.docker.gateway.admin import Admin
from ecluse.engines.docker.gateway.folder import Folder
from ecluse.engines.docker.gateway.routing import Routes
from ecluse.engines.docker.gateway.servers import Servers
from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.certification import Certification
from ecluse.errors import EngineError


class Proxy:
    """container: the name of the one that it runs in."""

    def __init__(
        self,
        container: str,
        *,
        folder: Folder,
        admin: Admin,
        servers: Servers,
        certification: Certification,
        client: Client,
    ) -> None:
        self._container = container
        self._folder = folder
        self._admin = admin
        self._servers = servers
        self._certification = certification
        self._client = client

    async def answers(self) -> bool:
        return await self._admin.answers()

    async def check(self, routes: Routes) -> None:
        """EngineError when HAProxy would not take the configuration of these routes."""
        with self._folder.candidate(routes) as file:
            done = await self._client.execute(
                self._container,
                ["haproxy", "-c", "-f", f"{haproxy.FOLDER}/{file}"],
                what="check the configuration of the gateway",
            )
        if done.code != 0:
            raise EngineError(f"the gateway refuses its configuration:\n{done.output.strip()}")

    async def follow(self, routes: Routes) -> None:
        if not self._folder.is_applied(routes):
            await self._admin.reload()
            self._folder.mark_applied(routes)
            return
        for file, wanted in configuration.maps(routes).items():
            if file != configuration.OUTSIDE or routes.callers.ports:
                await self.follow_map(file, wanted)
        await self.follow_certificate(routes)
        standings = await self._servers.standings()
        for backend in routes.backends.values():
            await self._servers.follow(backend, standings)

    async def follow_map(self, file: str, wanted: Mapping[str, str]) -> None:
        for command in runtime.map_commands(file, await self._admin.map(file), wanted):
            await self._admin.tell(command)

    async def follow_certificate(self, routes: Routes) -> None:
        pem = self._certification.shown()
        if pem is None or not routes.is_secure:
            return
        if await self._admin.certificate() == certificates.fingerprint(pem):
            return
        if len(pem) > runtime.PAYLOAD_CHARACTERS:
            await self._admin.reload()
        else:
            await self._admin.install_certificate(pem)
