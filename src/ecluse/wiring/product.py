"""One product, opened by one command: its files, its releases and its state, each when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.delivery.selection import Catalogue
from ecluse.errors import NotFound, nearest
from ecluse.model.application import Target
from ecluse.model.deployment import KnownGood
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Environment, Product
from ecluse.model.secret import Sealed, Secret
from ecluse.settings import Settings
from ecluse.wiring.state import ProductState, open_state

if TYPE_CHECKING:
    from ecluse.config.load import Configuration
    from ecluse.config.workspace import Workspace
    from ecluse.ports import Releases
    from ecluse.secrets.files import SopsFiles
    from ecluse.secrets.provided import ProvidedSecrets
    from ecluse.secrets.twins import TwinFiles
    from ecluse.wiring.keys import Key


_TWIN_ENDINGS = (".sops.yaml", ".sops.yml", ".sops.json", ".sops.env")
"""What came from an encrypted file is not kept when the file no longer gives it."""


class OpenProduct:
    """What a command works with. `secrets_file`: the private file that `--secrets` names."""

    def __init__(self, root: Path, settings: Settings, *, secrets_file: Path | None = None) -> None:
        self.root = root
        self.settings = settings
        self._secrets_file = secrets_file

    @cached_property
    def workspace(self) -> Workspace:
        from ecluse.config.workspace import open_workspace

        return open_workspace(self.root)

    @cached_property
    def configuration(self) -> Configuration:
        from ecluse.config.load import load

        return load(self.workspace, self.secret_files)

    @cached_property
    def secret_files(self) -> SopsFiles:
        """Reads the encrypted files of the product, with the identities that are found."""
        from ecluse.secrets.files import SopsFiles

        return SopsFiles(self.twins)

    @cached_property
    def twins(self) -> TwinFiles:
        """The encrypted files in the product's folder."""
        from ecluse.secrets.twins import TwinFiles

        return TwinFiles(self.root)

    @property
    def product(self) -> Product:
        return self.configuration.product

    @cached_property
    def outline(self) -> Product:
        """The product by ecluse.yaml alone: enough to find a file in which something is wrong."""
        from ecluse.config.load import load_product

        return load_product(self.workspace)

    @cached_property
    def reading(self) -> ProductState:
        """The state as it is; nothing is written."""
        return open_state(self.product.name, self.settings, create=False)

    @cached_property
    def acting(self) -> ProductState:
        """The state, made when there is none, with the key that a gateway kept."""
        assert self.key, "the key comes first"
        return open_state(self.product.name, self.settings, create=True)

    @cached_property
    def key(self) -> Key:
        """Where the key of the vault is from; it is brought back where it can be."""
        from ecluse.wiring.keys import find_key

        return find_key(self.reading, [self.target(one) for one in self.product.environments.values()])

    @cached_property
    def releases(self) -> Releases:
        from ecluse.images.client import find_docker
        from ecluse.images.releases import DockerReleases

        return DockerReleases(self.product.name, find_docker(os.environ))

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.releases.list())

    def environment(self, name: str) -> Environment:
        known = self.product.environments
        if name not in known:
            raise NotFound(f"there is no environment {name!r}", hint=nearest(name, known))
        return known[EnvironmentName(name)]

    def service(self, name: str) -> ServiceName:
        known = self.product.services
        if name not in known:
            raise NotFound(f"there is no service {name!r}", hint=nearest(name, known))
        return ServiceName(name)

    def target(self, environment: Environment) -> Target:
        return Target(
            self.product.name, environment.name, environment.domain, environment.protected, environment.tls
        )

    def secrets(self, kept: Mapping[EnvironmentName, KnownGood]) -> ProvidedSecrets:
        """What people gave to this command, and behind it what the environments run with already."""
        from ecluse.secrets.provided import ProvidedSecrets, read_secrets_file

        file: dict[str, Secret] = read_secrets_file(self._secrets_file) if self._secrets_file else {}
        return ProvidedSecrets(
            file=file,
            file_name=str(self._secrets_file or ""),
            variables=os.environ,
            kept=_sealed_settings(kept),
        )


def _sealed_settings(
    known: Mapping[EnvironmentName, KnownGood],
) -> dict[tuple[EnvironmentName, ServiceName, str], Sealed]:
    return {
        (environment, service, setting.key): setting.text
        for environment, good in known.items()
        for service, application in good.applications.items()
        for setting in application.settings
        if isinstance(setting.text, Sealed) and not setting.origin.location.file.endswith(_TWIN_ENDINGS)
    }
