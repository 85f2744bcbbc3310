"""A vault and a source of secrets in memory: for tests, dry runs, and checks that need no state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecluse.errors import Location
from ecluse.model.application import Origin
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed, Secret
from ecluse.secrets.vault import FolderVault


class MemoryVault(FolderVault):
    """A vault that keeps nothing, with a key that is always the same."""

    def __init__(self, key: bytes = b"memory") -> None:
        super().__init__(Path("/nonexistent"), key)

    def keep(self) -> None:
        return


class MemorySecrets:
    """Implements ports.SecretSource on a mapping of `KEY` or `service/KEY` to texts."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})

    def lookup(
        self, environment: EnvironmentName, service: ServiceName, key: str
    ) -> tuple[Secret | Sealed, Origin] | None:
        text = self._texts.get(f"{service}/{key}", self._texts.get(key))
        if text is None:
            return None
        return Secret(text), Origin("secrets in memory", Location("memory"))
