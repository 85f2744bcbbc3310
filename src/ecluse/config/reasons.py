"""Why a value differs between environments: `reasons:` in a layer, or in an environment of ecluse.yaml.

A reason speaks of a value (`app.KEY`, `run.web.replicas`) or of everything below a name (`run.web`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ecluse.config.document import Document
from ecluse.config.layers import Layer, Layers, Scope
from ecluse.errors import Problem, nearest
from ecluse.model.product import Product
from ecluse.model.service import Plain

SUBJECTS = ("protected", "registry", "places", "placement", "tls", "backing")
"""What an environment of ecluse.yaml may give a reason for."""


def reason_for(layers: Sequence[Layer], name: str) -> str | None:
    """The reason that the most specific of `layers` gives for a value."""
    found = (reason_among(layer.reasons, name) for layer in reversed(layers))
    return next((text for text in found if text), None)


def reason_among(reasons: Mapping[str, str], name: str) -> str | None:
    """The longest path that covers `name` has the say."""
    covering = [path for path in reasons if _covers(path.split("."), name.split("."))]
    return reasons[max(covering, key=len)] if covering else None


def reason_problems(layers: Layers, product: Product, document: Document) -> Iterator[Problem]:
    """Reasons that explain nothing."""
    for scope in layers.scopes():
        for layer in scope.all():
            yield from _layer_problems(layer, _twin_keys(layer, scope))
    for environment in product.environments.values():
        for path in environment.reasons:
            if path.split(".")[0] not in SUBJECTS:
                at = ("environments", environment.name, "reasons", path)
                yield document.problem(at, "explains nothing of an environment", nearest(path, SUBJECTS))


def _twin_keys(layer: Layer, scope: Scope) -> set[str]:
    """What the encrypted twin of a layer gives."""
    twins = scope.twin.all() if scope.twin else ()
    return {f"app.{key}" for twin in twins if twin.name == layer.name for key in twin.app}


def _layer_problems(layer: Layer, encrypted: set[str]) -> Iterator[Problem]:
    for path in layer.reasons:
        if path not in encrypted and not _is_given(layer, path.split(".")):
            hint = f"write app.{path}" if path in layer.app else nearest(path, _names(layer))
            yield layer.problem(("reasons", path), "explains nothing: this layer gives no such value", hint)


def _is_given(layer: Layer, parts: Sequence[str]) -> bool:
    value: Plain = {"app": dict(layer.app), "run": dict(layer.run)}
    for part in parts:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return len(parts) > 1


def _names(layer: Layer) -> list[str]:
    fields = [
        f"run.{process}.{name}"
        for process, values in layer.run.items()
        for name in (values if isinstance(values, dict) else {})
    ]
    return [*(f"app.{key}" for key in layer.app), *fields]


def _covers(path: Sequence[str], name: Sequence[str]) -> bool:
    if len(path) > len(name):
        return False
    pairs = zip(path, name[: len(path)], strict=True)
    return all(part == other or (part == "*" and at == 1) for at, (part, other) in enumerate(pairs))
