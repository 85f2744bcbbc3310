"""Which properties are secrets: passwords, what they refer to, and what holds the text of one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ecluse.importers.hesperides.dump import Item
from ecluse.importers.hesperides.model import Fields
from ecluse.importers.hesperides.units import Unit
from ecluse.importers.hesperides.valuation import Valuation, references
from ecluse.importers.recognise import secret_reason

_SHORT = 8


@dataclass(slots=True)
class Secrets:
    """Name → why it is one. texts: those that must not stand in a plain file. Iterables are `#name`."""

    reasons: dict[str, str] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    plain: frozenset[str] = frozenset()

    def add(self, name: str, reason: str) -> None:
        if name not in self.plain and not name.startswith("hesperides."):
            self.reasons.setdefault(name, reason)

    def holds(self, text: str) -> bool:
        """Whether the text of a secret is in it. Short ones are found by chance: not asked."""
        return any(len(secret) >= _SHORT and secret in text for secret in self.texts)


def find_secrets(units: Sequence[Unit], *, more: frozenset[str], plain: frozenset[str]) -> Secrets:
    """`more`, `plain`: what the caller decided, by name."""
    secrets = Secrets(plain=plain)
    for name in sorted(more):
        secrets.add(name, "you say so")
    for unit in units:
        for name, reason in _evident(unit):
            secrets.add(name, reason)
    known = -1
    while known != len(secrets.reasons):
        known = len(secrets.reasons)
        for unit in units:
            _spread(unit, secrets)
    return secrets


def _evident(unit: Unit) -> Iterator[tuple[str, str]]:
    for environment, seen in unit.seen.items():
        fields = unit.read[environment].model
        for name in all_names(unit):
            if fields.is_password(name):
                yield name, "@password"
            elif reason := secret_reason(name, seen.final(name)):
                yield name, reason
        for name, inner in fields.iterables.items():
            if reason := _iterable(inner, seen.items(name)):
                yield f"#{name}", reason


def _iterable(fields: Fields, items: Sequence[Item]) -> str | None:
    for level in fields.walk():
        if any(level.is_password(name) for name in level.names):
            return "@password"
    for item in items:
        for name, value in item_values(item):
            if reason := secret_reason(name, value):
                return reason
    return None


def _spread(unit: Unit, secrets: Secrets) -> None:
    for seen in unit.seen.values():
        names = all_names(unit)
        for name in (name for name in names if name in secrets.reasons):
            if text := seen.final(name):
                secrets.texts.add(text)
            raw = seen.raw(name)
            for other in references(raw.text) if raw else ():
                secrets.add(other, f"{name} refers to it")
        _spread_iterables(seen, secrets)
        for name in (name for name in names if name not in secrets.reasons):
            raw = seen.raw(name)
            if raw and secrets.holds(raw.text):
                secrets.add(name, "it holds the text of another secret")
            for other in references(raw.text) if raw and _is_one_reference(raw.text) else ():
                if other in secrets.reasons:
                    secrets.add(name, f"it stands for {other}")


def _is_one_reference(text: str) -> bool:
    return text.strip().startswith("{{") and text.strip().endswith("}}") and text.count("{{") == 1


def _spread_iterables(seen: Valuation, secrets: Secrets) -> None:
    for name, items in seen.deployed.values.iterables.items():
        values = [value for item in items for _, value in item_values(item)]
        if f"#{name}" in secrets.reasons:
            secrets.texts |= {seen.text(value) for value in values}
        elif any(map(secrets.holds, values)):
            secrets.add(f"#{name}", "it holds the text of another secret")


def all_names(unit: Unit) -> list[str]:
    """The names that the files of a unit depend on, in the order of its templates, then of the references."""
    if unit.names is None:
        unit.names = list(_depended_on(unit))
    return unit.names


def _depended_on(unit: Unit) -> dict[str, None]:
    found: dict[str, None] = {}
    waiting: list[str] = []
    for environment, seen in unit.seen.items():
        for fields in unit.read[environment].model.walk():
            is_top = fields is unit.read[environment].model
            waiting += [name for name in fields.names if is_top or seen.is_parent(name)]
        for items in seen.deployed.values.iterables.values():
            for item in items:
                waiting += [other for _, value in item_values(item) for other in references(value)]
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        given = [raw for seen in unit.seen.values() for raw in seen.sources(name)]
        if not given and not any(name in read.model.names for read in unit.read.values()):
            continue
        found[name] = None
        waiting += [other for raw in given for other in references(raw.text)]
    return found


def item_values(item: Item) -> Iterator[tuple[str, str]]:
    yield from item.values.items()
    for items in item.iterables.values():
        for inner in items:
            yield from item_values(inner)
