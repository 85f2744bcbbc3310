"""What a template sees: the keys of the contract by name, and the references of values as attributes.

`{{ service.accounting.url }}` is what `${service.accounting.url}` is in a layer; a name with a dash is written
`{{ service["my-api"].url }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecluse.config.interpolate import ROOTS, BadReference
from ecluse.config.render import ToldElsewhere, Unreferable
from ecluse.config.scope import ServiceScope
from ecluse.config.types import Unfit, accept
from ecluse.model.secret import Sealed
from ecluse.model.service import Plain

_LEAVES = {
    "app": 1, "run": 2, "service": 2, "backing": 2, "environment": 1, "product": 1, "release": 1,
}  # fmt: skip
"""How many names follow the root, at least, before there is a value."""


@dataclass(slots=True)
class Variables:
    """The values of one service for one template. `is_secret`: whether a secret was asked for so far."""

    scope: ServiceScope
    is_secret: bool = False

    def all(self, natives: Mapping[str, Plain]) -> dict[str, Any]:
        """`natives`: the keys that the template names, with their values."""
        keys = dict.fromkeys(self.scope.declaration.spec.config)
        return {**{root: Reference(self, root) for root in ROOTS}, **keys, **natives}

    def referred(self, reference: str) -> Any:
        """The native value behind a reference."""
        try:
            value = self.scope.refer(reference)
            self.is_secret = self.is_secret or value.secret
            if not isinstance(value.data, Sealed):
                return value.data
            text = self.scope.around.reveal(value.data)
            key = self.scope.declaration.spec.config.get(reference.removeprefix("app."))
            return accept(key, text, is_literal=False) if key else text
        except BadReference as error:
            if not error.told:
                raise ToldElsewhere from None
            message, hint = error.told[0]
            raise Unreferable(message, hint) from None
        except Unfit:
            raise Unreferable(f"{reference} does not fit its type", None) from None


@dataclass(frozen=True, slots=True)
class Reference:
    """The beginning of a reference. Only names lead on: it has no attribute that a template may reach."""

    _variables: Variables = field(repr=False)
    _path: str

    def __getitem__(self, name: object) -> Any:
        if not isinstance(name, str):
            raise Unreferable(f"{self._path} is followed by a name", None)
        path = f"{self._path}.{name}"
        root, *rest = path.split(".")
        if len(rest) < _LEAVES[root] or (root == "run" and rest[1:] in (["expose"], ["probe"])):
            return Reference(self._variables, path)
        return self._variables.referred(path)

    def __str__(self) -> str:
        """`{{ environment }}` is its name."""
        short = {"environment": "environment.name", "product": "product.name", "release": "release.version"}
        if self._path == "service":
            return self._variables.scope.name
        if self._path not in short:
            raise Unreferable(f"{self._path} is not a reference", "name what you mean")
        return str(self._variables.referred(short[self._path]))
