"""The lockfile of an environment: an export of what is known good, and what a new engine starts from."""

from __future__ import annotations

from pathlib import Path

from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.product import Environment
from ecluse.model.secret import Sealed
from ecluse.wiring.product import OpenProduct


def locked_versions(product: OpenProduct, environment: Environment) -> dict[ServiceName, str]:
    """The versions that the lockfile names; none where there is no lockfile yet."""
    from ecluse.config.lockfile import read_lock
    from ecluse.config.workspace import lock_file

    text = product.workspace.lock_text(environment.name)
    if text is None:
        return {}
    locked = read_lock(text, lock_file(environment.name))
    return {name: one.version for name, one in locked.items()}


def locked_secrets(
    product: OpenProduct, environment: Environment
) -> dict[tuple[ServiceName, str], str | None]:
    """The secrets that the services of the lockfile have, by service and key."""
    from ecluse.config.lockfile import read_lock
    from ecluse.config.workspace import lock_file

    text = product.workspace.lock_text(environment.name)
    locked = read_lock(text, lock_file(environment.name)) if text else {}
    return {(name, key): None for name, one in locked.items() for key in one.secrets}


def export_lock(product: OpenProduct, environment: Environment) -> Path | None:
    """Writes what is known good into the product's folder; None when the file says so already."""
    from ecluse.config.lockfile import Locked, lock_text
    from ecluse.config.workspace import lock_file, write_lock

    known = product.reading.records.known_good(environment.name)
    services = {
        name: Locked(
            version=application.release.version,
            image_id=application.release.image_id,
            commit=application.release.commit,
            revision=known.revision or "",
            secrets=_fingerprints(application),
        )
        for name, application in known.applications.items()
    }
    text = lock_text(environment.name, services)
    path = product.root / lock_file(environment.name)
    if path.exists() and path.read_text("utf-8") == text:
        return None
    return write_lock(product.root, environment.name, text)


def _fingerprints(application: Application) -> dict[str, str]:
    return {
        setting.key: setting.text.fingerprint
        for setting in application.settings
        if isinstance(setting.text, Sealed)
    }
