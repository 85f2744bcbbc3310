"""What a draft, or the product that it went into, makes of each file: the way to prove an import."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.errors import Location
from ecluse.importers.draft import Draft
from ecluse.importers.written import yaml_text
from ecluse.model.application import Origin
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed, Secret
from ecluse.model.service import Plain
from ecluse.ports import SecretSource
from ecluse.wiring.product import OpenProduct

if TYPE_CHECKING:
    from ecluse.config.load import Configuration

Place = tuple[str, str, str]
"""Environment, service, path in the container."""


class DraftSecrets:
    """Implements ports.SecretSource: what a draft encrypts, by the precedence of layers."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        services = draft.maps.get("ecluse.yaml", {}).get("services")
        self._domains = {
            name: str(entry.get("domain"))
            for name, entry in (services if isinstance(services, dict) else {}).items()
            if isinstance(entry, dict)
        }

    def lookup(
        self, environment: EnvironmentName, service: ServiceName, key: str
    ) -> tuple[Secret | Sealed, Origin] | None:
        here = f"config/environments/{environment}"
        domain = self._domains.get(service, "")
        for layer in (
            f"{here}/services/{service}.yaml",
            f"{here}/domains/{domain}.yaml",
            f"{here}/common.yaml",
            f"config/services/{service}.yaml",
        ):
            if found := self._draft.secrets.get(layer, {}).get(key):
                return found, Origin("the import", Location(layer))
        return None


def drafted_files(draft: Draft, environments: Collection[str]) -> dict[Place, str]:
    """What a draft makes in a folder that holds nothing else. Raises ConfigInvalid when it does not load."""
    from ecluse.config.load import load
    from ecluse.config.workspace import open_workspace

    with tempfile.TemporaryDirectory(prefix="ecluse-import-") as folder:
        root = Path(folder)
        texts = draft.texts | {path: yaml_text(value) for path, value in draft.maps.items()}
        texts["ecluse.yaml"] = _whole_product(draft, environments)
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode("utf-8"))
        return _files(load(open_workspace(root)), DraftSecrets(draft))


def _whole_product(draft: Draft, names: Collection[str]) -> str:
    """The draft's ecluse.yaml with every environment that it is about."""
    value = dict(draft.maps["ecluse.yaml"])
    environments: dict[str, Plain] = {name: {"domain": f"{name}.localhost"} for name in names}
    return yaml_text({**value, "environments": environments})


def product_files(product: OpenProduct) -> dict[Place, str]:
    """What the product makes now, its secrets read with the identities that are here."""
    from ecluse.secrets.memory import MemorySecrets

    return _files(product.configuration, MemorySecrets())


def _files(configuration: Configuration, secrets: SecretSource) -> dict[Place, str]:
    from ecluse.config.check import tree_releases
    from ecluse.config.resolve import resolve
    from ecluse.config.scope import Means
    from ecluse.secrets.memory import MemoryVault

    vault = MemoryVault()
    releases = dict(tree_releases(configuration))
    result: dict[Place, str] = {}
    for environment in configuration.product.environments:
        resolved = resolve(configuration, environment, releases, releases, Means(secrets, vault))
        for name, application in resolved.desired.applications.items():
            for file in application.files:
                text = vault.reveal(file.content) if isinstance(file.content, Sealed) else file.content
                result[environment, name, file.path] = text
    return result


def difference(theirs: str, ours: str | None) -> str | None:
    """Where two texts part, without showing either; None when every byte is equal."""
    if ours is None:
        return "is not made here"
    if theirs == ours:
        return None
    if theirs.replace("\r", "") == ours.replace("\r", ""):
        return "differs in line ends only"
    left, right = theirs.split("\n"), ours.split("\n")
    for number, (one, other) in enumerate(zip(left, right, strict=False), start=1):
        if one != other:
            return f"differs from line {number} on"
    return f"has {len(right)} lines where Hesperides makes {len(left)}"
