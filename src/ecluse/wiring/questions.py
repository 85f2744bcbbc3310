"""Opens environments for the questions of `ecluse config`. Needs no state, no engine and no identity."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ecluse.errors import NotFound, SecretUnavailable
from ecluse.model.names import ServiceName
from ecluse.model.secret import Encrypted, Sealed
from ecluse.secrets.memory import MemoryVault
from ecluse.wiring.product import OpenProduct

if TYPE_CHECKING:
    from ecluse.config.git import Commit
    from ecluse.config.load import Configuration
    from ecluse.config.parity import Disparity
    from ecluse.config.past import Moment
    from ecluse.config.sight import Seen, Sight
    from ecluse.config.whereabouts import Repeated
    from ecluse.config.workspace import Workspace
    from ecluse.model.application import Origin
    from ecluse.model.service import Plain
    from ecluse.ports import Vault

UNREAD = "•"


class BlindVault(MemoryVault):
    """Compares secrets within one command. Its key is thrown away, so that a fingerprint tells nothing later."""

    def __init__(self) -> None:
        super().__init__(randomness.token_bytes(32))

    def reveal(self, sealed: Sealed) -> str:
        try:
            return super().reveal(sealed)
        except SecretUnavailable:
            return UNREAD


class Questions:
    """One product, asked about."""

    def __init__(self, product: OpenProduct, *, vault: Vault | None = None) -> None:
        self.product = product
        self._vault = vault

    @cached_property
    def vault(self) -> Vault:
        return self._vault or BlindVault()

    @property
    def workspace(self) -> Workspace:
        return self.product.workspace

    def sight(self, environment: str) -> Sight:
        return self.sight_of(self.product.configuration, environment)

    def sights(self) -> list[Sight]:
        """Every environment; NotFound where there is none."""
        if not self.product.product.environments:
            raise NotFound("the product has no environment", hint="name one in ecluse.yaml")
        return [self.sight(name) for name in self.product.product.environments]

    def sight_at(self, environment: str, revision: str) -> Sight:
        """The environment as the files of a revision have it."""
        return self.sight_of(self._configuration_at(revision), environment)

    def author(self, origin: Origin) -> Commit | None:
        """Who wrote the line of an origin."""
        return self.workspace.author_of(origin.location)

    def repeated(self) -> list[Repeated]:
        from ecluse.config.whereabouts import repeated

        return repeated(self.product.configuration, _opened)

    def history(self, environment: str, service: str, name: str, *, limit: int) -> list[Moment]:
        from ecluse.config.past import history

        sight, git = self.sight(environment), self.workspace.git
        sight.find(service, name)
        if git is None:
            raise NotFound(f"{self.product.root} is not in a git repository: it has no history")
        folders = [folder for folder in self.workspace.folders.values() if not folder.startswith("services/")]
        return history(git, self._look(environment, service, name), folders=folders, limit=limit)

    def _look(self, environment: str, service: str, name: str) -> Callable[[str], Seen | None]:
        def look(commit: str) -> Seen | None:
            try:
                return self.sight_at(environment, commit).find(service, name)
            except NotFound:
                return None

        return look

    def _configuration_at(self, revision: str) -> Configuration:
        from ecluse.config.load import load
        from ecluse.config.workspace import open_workspace

        return load(open_workspace(self.product.root, revision), self.product.secret_files)

    def sight_of(self, configuration: Configuration, environment: str) -> Sight:
        from ecluse.config.scope import Means
        from ecluse.config.sight import open_sight
        from ecluse.model.names import EnvironmentName

        settings = self.product.settings
        means = Means(
            self.product.secrets({}),
            self.vault,
            public_port=settings.public_port,
            https_port=settings.edge_https_port,
        )
        return open_sight(configuration, EnvironmentName(environment), means)


def _opened(value: Plain) -> str | None:
    """What to compare an encrypted value by, where an identity here opens it."""
    return value.secret.reveal() if isinstance(value, Encrypted) and value.secret else None


def compare(
    questions: Questions, environment: str, other: str, service: str | None, *, revision: str | None = None
) -> list[Disparity]:
    """What differs between two environments, or in one of them since a revision."""
    from ecluse.config.parity import disparities, environment_disparities

    if revision is not None:
        left, right = questions.sight_at(environment, revision), questions.sight(environment)
    else:
        left, right = questions.sight(environment), questions.sight(other)
    if service is not None:
        right.scope(service)
        return list(disparities(left, right, [ServiceName(service)]))
    services = sorted({*left.around.scopes, *right.around.scopes})
    return [*environment_disparities(left, right), *disparities(left, right, services)]
