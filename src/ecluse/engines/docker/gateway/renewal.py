"""Another certificate for a gateway that runs: before the old one expires, or because its file is another one now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from ecluse.engines.docker.gateway import configuration
from ecluse.engines.docker.gateway.gateway import Gateway
from ecluse.model.event import Event


class Renewal:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._certification = gateway.certification

    async def renew(self) -> AsyncIterator[Event]:
        if not self._gateway.folder.exists:
            return
        async with self._gateway.lock():
            routes, shown = self._gateway.routes(), self._certification.shown()
            if not routes.is_secure or not await self._gateway.proxy.answers():
                return
            await self._certification.provide(routes)
            await self._gateway.proxy.follow_certificate(routes)
        async for event in self.told(shown):
            yield event
        async for event in self.issue():
            yield event

    async def told(self, shown: str | None) -> AsyncIterator[Event]:
        """What people are told when the authority or the certificate is another one than before."""
        if news := self._gateway.authority.news():
            yield Event("gateway", message=news)
        ends = self._certification.expiry()
        if shown is not None and shown != self._certification.shown() and ends is not None:
            yield Event(
                "gateway", message=f"the gateway shows another certificate, valid until {ends:%Y-%m-%d}"
            )

    async def issue(self) -> AsyncIterator[Event]:
        """Asks the ACME server, where it is time to. In vain: what is shown stays, and `status` says so."""
        routes, shown = self._gateway.routes(), self._certification.shown()
        if not self._certification.is_due(routes):
            return
        yield Event("gateway", message=f"asking for a certificate for {', '.join(sorted(routes.hosts))}")
        problem = await self._certification.obtain(routes, self._show_challenges)
        if problem is not None:
            yield Event("gateway", message=problem)
            return
        async with self._gateway.lock():
            await self._gateway.proxy.follow_certificate(self._gateway.routes())
        async for event in self.told(shown):
            yield event

    async def _show_challenges(self, texts: Mapping[str, str]) -> None:
        async with self._gateway.lock():
            self._gateway.folder.write_challenges(texts)
            await self._gateway.proxy.follow_map(configuration.CHALLENGES, texts)
