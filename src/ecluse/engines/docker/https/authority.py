"""The files behind HTTPS on this machine: the local authority's, and the certificates that users bring."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ecluse.engines.docker.files import lock, read, write_whole
from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.certificates import Pair, Unusable
from ecluse.errors import EngineError
from ecluse.model.product import Tls

MADE = "made a local authority for this machine (`ecluse trust`): whoever trusted an earlier one must trust this one"
RECOVERED = "the local authority is back: a gateway's container had kept it, and it is trusted as before"


class Authority:
    """Made once per machine, with the first certificate that is asked of it. copy: finds the one that is kept
    elsewhere, for when its files are gone."""

    def __init__(self, machine: Path, copy: Callable[[], Awaitable[Pair | None]]) -> None:
        self._folder = machine / "authority"
        self._copy = copy
        self._news: str | None = None

    def news(self) -> str | None:
        """What became of it since this was asked last, for those who trust it."""
        told, self._news = self._news, None
        return told

    def pair(self) -> Pair | None:
        """What is on file."""
        certificate, key = read(certificate_path(self._folder.parent)), read(self._folder / "authority.key")
        return Pair(certificate, key) if certificate and key else None

    async def certify(self, subject: str, hosts: Sequence[str], current: str | None) -> str:
        """A certificate with its key for these hosts: the current one while it will do."""
        pair, now = await self._pair(), datetime.now(UTC)
        if current is not None and certificates.still_serves(current, pair, hosts, now):
            return current
        return certificates.issue(pair, subject, hosts, now)

    async def _pair(self) -> Pair:
        async with lock(self._folder / "lock", what="making the authority"):
            certificate, key = certificate_path(self._folder.parent), self._folder / "authority.key"
            if known := self.pair():
                return known
            copy = await self._copy()
            self._news = MADE if copy is None else RECOVERED
            made = copy or certificates.make_authority(platform.node(), datetime.now(UTC))
            certificate.unlink(missing_ok=True)
            write_whole(key, made.key)
            # last: without it the authority is not there yet
            write_whole(certificate, made.certificate)
            return made


def certificate_path(machine: Path) -> Path:
    """Where the certificate is that people trust; it is not a secret."""
    return machine / "authority" / "authority.crt"


def own_certificate(tls: Tls, hosts: Sequence[str]) -> str:
    """The user's certificate and key in one text; EngineError names the file, and the host, that is wrong."""
    certificate, key = _given(Path(tls.certificate or "")), _given(Path(tls.key or ""), is_secret=True)
    try:
        text = certificates.combine(certificate, key, datetime.now(UTC))
    except Unusable as error:
        raise EngineError(
            f"the certificate {tls.certificate} {error}", hint=f"its key is {tls.key}"
        ) from error
    if missing := certificates.uncovered(text, hosts):
        raise EngineError(
            f"the certificate {tls.certificate} is not for {', '.join(missing)}",
            hint="have it issued for every public host of the environment, or for *.DOMAIN",
        )
    return text


def _given(path: Path, *, is_secret: bool = False) -> str:
    try:
        text, mode = path.read_text(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not in PEM"
        raise EngineError(
            f"cannot read {path}: {why}",
            hint=f"`tls:` in ecluse.yaml names files of {platform.node()} that uid {os.getuid()} may read",
        ) from error
    if is_secret and stat.S_IMODE(mode) & 0o077:
        raise EngineError(f"others than its owner may read the key {path}", hint=f"chmod 600 {path}")
    return text
