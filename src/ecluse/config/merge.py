"""What the layers give for each key: the most specific wins, maps merge, lists replace, null deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ecluse.config.document import Path
from ecluse.config.layers import Layer
from ecluse.config.service import Declaration
from ecluse.errors import Problem
from ecluse.model.application import CONTRACT, SPECIFICATION, Origin
from ecluse.model.service import Plain


@dataclass(frozen=True, slots=True)
class Given:
    """A value as a layer gives it, at `path` of the layer."""

    value: Plain
    layer: Layer
    path: Path

    @property
    def origin(self) -> Origin:
        return self.layer.origin(*self.path)

    def problem(self, message: str, hint: str | None = None) -> Problem:
        return self.layer.problem(self.path, message, hint)


@dataclass(frozen=True, slots=True)
class Merged:
    """What is left of several values: None when nobody gives one, or when the winner deletes it.

    given: every value, most specific first: the winner, then those that it beats.
    """

    value: Plain
    given: tuple[Given, ...]

    @property
    def winner(self) -> Given | None:
        return self.given[0] if self.given else None


def merge(given: Iterable[Given]) -> Merged:
    """`given`: least specific first."""
    all_given = tuple(given)
    value: Plain = None
    for one in all_given:
        value = overlay(value, one.value)
    return Merged(value, all_given[::-1])


def overlay(below: Plain, above: Plain) -> Plain:
    """`above` over `below`. Within maps a null deletes the key."""
    if not isinstance(above, dict):
        return above
    result = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = overlay(result.get(key), value)
    return result


def merged_app(declaration: Declaration, layers: Sequence[Layer]) -> dict[str, Merged]:
    """Each key of the contract with what the contract and the layers give for it."""
    contract = Layer(CONTRACT, declaration.document, (), {}, {})
    speaking = [layer for layer in layers if layer.app]
    result = {}
    for key, declared in declaration.spec.config.items():
        given = [Given(layer.app[key], layer, ("app", key)) for layer in speaking if key in layer.app]
        if declared.default is not None:
            given.insert(0, Given(declared.default, contract, ("config", key, "default")))
        result[key] = merge(given)
    return result


def merged_process(declaration: Declaration, name: str, layers: Sequence[Layer]) -> dict[str, Merged]:
    """Each field of a process. Within one layer, the process's own name beats `*`."""
    parts = [part for layer in layers for part in (_part(layer, "*"), _part(layer, name)) if part]
    return _merged_fields([_specified(declaration, "processes", name), *parts])


def merged_cron(declaration: Declaration, name: str, layers: Sequence[Layer]) -> dict[str, Merged]:
    parts = [part for layer in layers if (part := _part(layer, "crons", name))]
    return _merged_fields([_specified(declaration, "crons", name), *parts])


def speaks_of(layer: Layer, name: str) -> bool:
    """Whether a layer says something of a process."""
    return name in layer.run or "*" in layer.run


def _merged_fields(parts: Sequence[Given]) -> dict[str, Merged]:
    fields: dict[str, list[Given]] = {}
    for part in parts:
        for field, value in _items(part):
            fields.setdefault(field, []).append(Given(value, part.layer, (*part.path, field)))
    return {field: merge(given) for field, given in fields.items()}


def _items(part: Given) -> Iterator[tuple[str, Plain]]:
    return iter(part.value.items()) if isinstance(part.value, dict) else iter(())


def _part(layer: Layer, *path: str) -> Given | None:
    value: Plain = dict(layer.run)
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return Given(value, layer, ("run", *path)) if isinstance(value, dict) else None


def _specified(declaration: Declaration, kind: str, name: str) -> Given:
    layer = Layer(SPECIFICATION, declaration.document, (), {}, {})
    value: Plain = declaration.document.value
    for part in (kind, name):
        value = value.get(part) if isinstance(value, dict) else None
    return Given(value, layer, (kind, name))
