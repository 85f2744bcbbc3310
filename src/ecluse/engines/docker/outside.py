"""An address outside that a service declares, where it reaches no others: https, told apart by its name (SNI). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ecluse.engines.docker.gateway.haproxy import PUBLIC_PORT, SECURE_PORT
from ecluse.errors import EngineError

OURS = frozenset({80, PUBLIC_PORT, SECURE_PORT})
"""The ports of the gateway itself."""


@dataclass(frozen=True, slots=True)
class Outside:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @staticmethod
    def parse(url: str) -> Outside:
        """EngineError for what cannot be let through."""
        parts = urlsplit(url)
        found = Outside((parts.hostname or "").lower(), parts.port or 443)
        if parts.scheme != "https" or not found.host or found.port in OURS:
            raise EngineError(
                f"{url} cannot be let through where `egress: declared` holds",
                hint="https addresses can, on any port but 80, 8080 and 8443; or write `egress: open`",
            )
        return found
