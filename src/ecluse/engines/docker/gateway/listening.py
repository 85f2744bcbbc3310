"""Where the edge listens on this machine, and what is said when another program does already. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.engines.docker.gateway.routing import Entrance
from ecluse.model.cause import Cause
from ecluse.model.product import Tls


@dataclass(frozen=True, slots=True)
class Listening:
    """https 0: not at all."""

    address: str
    http: int
    https: int = 0

    @property
    def published(self) -> Mapping[str, int]:
        """Port and protocol inside the container → port of the machine."""
        return {"80/tcp": self.http} | ({"443/tcp": self.https} if self.https else {})

    @property
    def label(self) -> str:
        return " ".join(f"{self.address}:{port}" for port in self.published.values())

    def entrance(self, tls: Tls) -> Entrance:
        """How the public comes in to an environment of this machine."""
        return Entrance(self.http, self.https, tls)

    def beyond(self, label: str) -> list[int]:
        """The ports that an edge with that label does not hold."""
        held = {int(part.rpartition(":")[2]) for part in label.split()}
        return [port for port in self.published.values() if port not in held]

    def refused(self, reason: str) -> int:
        """The port that Docker speaks of."""
        is_https = self.https and re.search(rf":{self.https}\b", reason)
        return self.https if is_https else self.http

    def taken(self, port: int, holder: str | None) -> Cause:
        who = holder or "another program"
        hint = (
            "ECLUSE_EDGE_HTTPS_PORT to another one, or to 0 for no HTTPS"
            if port == self.https
            else "ECLUSE_EDGE_HTTP_PORT (or ECLUSE_EDGE_ADDRESS) to another one"
        )
        return Cause(
            "port-taken",
            "edge",
            f"the edge cannot listen on {self.address}:{port}: {who} does already",
            (f"{self.address}:{port} is held by {who}",),
            hint=f"free that port, or set {hint}",
        )
