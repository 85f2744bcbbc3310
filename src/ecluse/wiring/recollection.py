"""What running containers still know when the record is gone: the variables and files that they were given.

Texts in clear, on their way from the containers into the vault. They are shown nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecluse.errors import Location
from ecluse.model.application import Origin, Target
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.release import Release
from ecluse.model.secret import Sealed, Secret
from ecluse.model.service import ServiceSpec
from ecluse.ports import Engine, SecretSource
from ecluse.wiring.state import ProductState

READ_BACK = "read back from what runs"
"""The layer of such values."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What one service runs with. settings: by key of the contract, from variables, then from the files that hold
    all keys. files: content by path, those of templates too."""

    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)


async def recollect(
    state: ProductState, target: Target, running: Mapping[ServiceName, Release]
) -> dict[ServiceName, Recollection]:
    """Asks the newest replica of each service; `running` gives the releases, which say where to look."""
    engine = state.engine()
    try:
        return {
            service: await _of(engine, target, service, release)
            for service, release in sorted(running.items())
        }
    finally:
        await engine.close()


async def _of(engine: Engine, target: Target, service: ServiceName, release: Release) -> Recollection:
    from ecluse.config.readback import settings_in
    from ecluse.config.service import read_declaration

    declaration, _ = read_declaration(release.service_yaml, f"{service}@{release.version}")
    if declaration is None:
        return Recollection()
    spec = declaration.spec
    files = await _files(engine, target, service, spec)
    settings: dict[str, str] = {}
    for file in reversed(spec.deliver.files):
        settings |= settings_in(file, spec.config, files.get(file.path, ""))
    if spec.deliver.env:
        given = await engine.variables(target, service)
        settings |= {key: text for key, text in given.items() if key in spec.config}
    return Recollection(settings, files)


async def _files(engine: Engine, target: Target, service: ServiceName, spec: ServiceSpec) -> dict[str, str]:
    found = {}
    paths = [*(file.path for file in spec.deliver.files), *(file.path for file in spec.files)]
    for path in paths:
        content = await engine.file(target, service, path)
        if content is not None:
            found[path] = content.decode(errors="replace")
    return found


class Inside:
    """Implements ports.SecretSource: what the running containers were given, then what people give."""

    def __init__(self, running: Mapping[ServiceName, Recollection], given: SecretSource) -> None:
        self._running = running
        self._given = given

    def lookup(
        self, environment: EnvironmentName, service: ServiceName, key: str
    ) -> tuple[Secret | Sealed, Origin] | None:
        text = self._running[service].settings.get(key) if service in self._running else None
        if text is None:
            return self._given.lookup(environment, service, key)
        return Secret(text), Origin(READ_BACK, Location(f"containers of {environment}"))
