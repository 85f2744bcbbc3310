"""Writing secrets into a product's encrypted files: what commands and importers use.

    seal_values(product.twins, "config/environments/test/common.yaml", {("app", "SMTP_PASSWORD"): "…"})

creates or changes the encrypted twin of that layer under the creation rules of `.sops.yaml`, keeps everything else in
it byte for byte as far as YAML allows, and gives the twin's name. A value of None removes the key. It raises
SecretUnavailable when the twin exists and no key here opens it, Refused when no rule names anybody to encrypt for.
`TwinLayers` is the same by layer and key, as ports.SecretLayers asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ecluse.errors import NotFound, SecretUnavailable
from ecluse.model.secret import Secret

if TYPE_CHECKING:
    from ecluse.secrets.twins import TwinFiles

ValuePath = tuple[str | int, ...]


def seal_values(twins: TwinFiles, layer: str, values: Mapping[ValuePath, str | None]) -> str:
    """Puts values into the encrypted twin of a plain layer file; gives the twin's path."""
    file = twins.of_layer(layer)
    twins.change(file, values)
    return file


class TwinLayers:
    """Implements ports.SecretLayers on the encrypted files of a product."""

    def __init__(self, twins: TwinFiles) -> None:
        self._twins = twins

    def require(self, layers: Collection[str]) -> None:
        for layer in layers:
            file = self._twins.of_layer(layer)
            if not self._twins.exists(file):
                self._twins.required_rule(file)

    def known(self, layer: str) -> Mapping[str, Secret] | None:
        from ecluse.secrets.files import written
        from ecluse.secrets.sops.tree import leaves

        file = self._twins.of_layer(layer)
        try:
            readable = self._twins.read(file)
        except NotFound:
            return {}
        except SecretUnavailable:
            return None
        below = () if file.endswith(".env") else ("app",)
        found = leaves(readable.branches[0]) if readable.branches else ()
        return {
            str(path[-1]): Secret(written(leaf))
            for path, leaf in found
            if path[:-1] == below and leaf is not None
        }

    def names(self, layer: str) -> Collection[str]:
        file = self._twins.of_layer(layer)
        if not self._twins.exists(file):
            return ()
        start = 0 if file.endswith(".env") else 1
        paths = [path for path in self._twins.names(file) if start == 0 or path[0] == "app"]
        return tuple(dict.fromkeys(str(path[start]) for path in paths if len(path) > start))

    def give(self, layer: str, values: Mapping[str, Secret]) -> None:
        seal_values(self._twins, layer, {("app", key): value.reveal() for key, value in values.items()})
