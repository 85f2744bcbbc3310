"""Who is trusted over HTTPS: the local authority of this machine, and the certificates that users bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ecluse.errors import EngineError, NotFound
from ecluse.model.application import Application, Target
from ecluse.model.names import ServiceName
from ecluse.settings import Settings


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """The authority's certificate: where it is, its text (PEM), and until when it is valid."""

    path: Path
    text: str
    expires: datetime


def find_authority(settings: Settings) -> TrustedAuthority:
    """NotFound where this machine has made none yet."""
    from ecluse.engines.docker.https import certificates
    from ecluse.engines.docker.https.authority import certificate_path

    path = certificate_path(settings.machine_state)
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise NotFound(
            "this machine has no authority yet: it is made with the first deployment that answers over HTTPS",
            hint="`ecluse deploy ENV`, then again",
        ) from error
    except OSError as error:
        raise EngineError(
            f"cannot read {path}: {error.strerror}", hint="run as the user that owns the state directory"
        ) from error
    return TrustedAuthority(path, text, certificates.expiry(text))


def refuse_certificate(
    settings: Settings, target: Target, applications: Mapping[ServiceName, Application]
) -> None:
    """EngineError when the user's own certificate will not do for the public hosts of these applications."""
    if target.tls.mode != "files" or not settings.edge_https_port:
        return
    from ecluse.engines.docker.https.authority import own_certificate

    processes = (process for item in applications.values() for process in item.processes.values())
    hosts = {process.expose.address(target.domain).lower() for process in processes if process.expose}
    own_certificate(target.tls, sorted(hosts))
