"""Settings of this process, read once from the environment. Each has a default that works on one machine."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import UsageError

DEFAULT_STATE = Path("/var/lib/ecluse")


@dataclass(frozen=True, slots=True)
class Settings:
    """ECLUSE_STATE: where state lives.

    ECLUSE_EDGE_ADDRESS, ECLUSE_EDGE_HTTP_PORT, ECLUSE_EDGE_HTTPS_PORT: where the edge listens; on this machine
    alone unless it is told otherwise. HTTPS port 0: no HTTPS.
    ECLUSE_USER: who acts, when the login name does not tell.
    ECLUSE_KEEP_RELEASES: how many releases of each service keep their image, beside those that are needed.
    """

    state_root: Path
    edge_address: str
    edge_http_port: int
    edge_https_port: int
    user: str
    keep_releases: int = 10

    def product_state(self, product: str) -> Path:
        return self.state_root / product

    @property
    def machine_state(self) -> Path:
        return self.state_root / "_machine"

    @property
    def public_port(self) -> int | None:
        """The port that public addresses must name, None for the one that browsers assume."""
        return None if self.edge_http_port == 80 else self.edge_http_port


def read_settings(environ: Mapping[str, str]) -> Settings:
    return Settings(
        state_root=Path(environ.get("ECLUSE_STATE") or DEFAULT_STATE),
        edge_address=environ.get("ECLUSE_EDGE_ADDRESS") or "127.0.0.1",
        edge_http_port=_port(environ, "ECLUSE_EDGE_HTTP_PORT", 80),
        edge_https_port=_port(environ, "ECLUSE_EDGE_HTTPS_PORT", 443, least=0),
        user=environ.get("ECLUSE_USER") or _login(environ),
        keep_releases=_count(environ, "ECLUSE_KEEP_RELEASES", 10),
    )


def _port(environ: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or not least <= int(text) < 65536:
        raise UsageError(f"{name}: {text!r} is not a port", hint=f"give a number from {least} to 65535")
    return int(text)


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"{name}: {text!r} is not a count", hint="give a number from 1")
    return int(text)


def _login(environ: Mapping[str, str]) -> str:
    """Who is behind sudo, or whose process this is."""
    with suppress(KeyError):
        return environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    return f"uid {os.getuid()}"
