"""What each property of a deployed module comes to, by Hesperides' precedence. Pure.

Ascending: default, module, instance, predefined, global. A blank value gives way to the default, even a
global's. Values of names that no template has fill only names that nothing else defines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecluse.importers.hesperides.dump import Deployed, Item, Platform
from ecluse.importers.hesperides.model import Fields
from ecluse.importers.hesperides.mustache import Malformed, filled, parse, sections, tags

Kind = Literal["global", "predefined", "instance", "module", "leftover"]
MAX_CHARACTERS = 200_000
MAX_CHAIN = 50


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it was given, and by whom."""

    kind: Kind
    text: str


Trail = tuple[tuple[str, Raw], ...]


@dataclass(slots=True)
class Valuation:
    """One module in one platform, as one instance sees it.

    endless: the names whose values grow forever, or too large: Hesperides generates no file then.
    """

    platform: Platform
    deployed: Deployed
    model: Fields
    instance: str
    application: str
    endless: set[str] = field(default_factory=set)
    _circles: int = 0
    _known: dict[tuple[str, bool], str] = field(default_factory=dict)
    _instance_model: frozenset[str] | None = None

    @property
    def predefined(self) -> dict[str, str]:
        path, key = self.deployed.path, self.deployed.key
        groups = path.split("#")[1:]
        return {
            "hesperides.application.name": self.application,
            "hesperides.application.version": self.platform.version,
            "hesperides.platform.name": self.platform.name,
            "hesperides.module.name": key.name,
            "hesperides.module.version": key.version,
            "hesperides.module.path.full": path.replace("#", "/"),
            **{f"hesperides.module.path.{index}": group for index, group in enumerate(groups)},
            "hesperides.instance.name": self.instance,
        }

    @property
    def instance_model(self) -> frozenset[str]:
        """Names that values refer to and that neither a global nor the module gives, or that refer to themselves."""
        if self._instance_model is None:
            known = {*self.platform.globals.simple, *self.deployed.values.simple, *self.model.names}
            found = set()
            for owner, text in self._all_values():
                found |= {name for name in references(text) if name not in known or name == owner}
            self._instance_model = frozenset(found)
        return self._instance_model

    def instance_values(self) -> dict[str, str]:
        """Those of this instance that have an effect."""
        wanted = self.instance.lower()
        given = next((one for name, one in self.deployed.instances.items() if name.lower() == wanted), {})
        return {name: text for name, text in given.items() if name in self.instance_model}

    def sources(self, name: str, *, globals_too: bool = True) -> list[Raw]:
        """Who gives a value for `name`, the winner first."""
        places: list[tuple[Kind, Mapping[str, str]]] = [
            ("global", self.platform.globals.simple if globals_too else {}),
            ("predefined", self.predefined),
            ("instance", self.instance_values()),
            ("module", self.deployed.values.simple if name in self.model.names else {}),
        ]
        found = [Raw(kind, values[name]) for kind, values in places if name in values]
        if not found and name not in self.model.names and name in self.deployed.values.simple:
            found = [Raw("leftover", self.deployed.values.simple[name])]
        return found

    def raw(self, name: str) -> Raw | None:
        """The winner, unless it is blank."""
        found = self.sources(name)
        return found[0] if found and found[0].text.strip() else None

    def value(self, name: str) -> str | None:
        """What `name` comes to without any default; None when that is nothing, or blank."""
        text = self._resolved(name, ())
        return text if text.strip() else None

    def final(self, name: str) -> str:
        """With its default, as values that refer to it see it."""
        value = self.value(name)
        return value if value is not None else self.model.default(name) or ""

    def of_tag(self, tag: str) -> str:
        """What a tag outside of sections becomes."""
        declared = self.model.by_tag.get(tag)
        if declared is None:
            return self.final(tag)
        value = self.value(declared.name)
        return value if value is not None else self.model.tag_default(tag)

    def text(self, text: str) -> str:
        """A value of an item: its references are those of the module, not of the item."""
        return self._filled(text, ()) if "}}" in text else text

    def items(self, name: str) -> tuple[Item, ...]:
        return self.deployed.values.iterables.get(name, ())

    def is_parent(self, name: str) -> bool:
        """Whether an item without a value of its own sees that of the module."""
        return name in self.model.names or (bool(found := self.sources(name)) and found[0].kind != "leftover")

    def _resolved(self, name: str, trail: Trail, *, globals_too: bool = True) -> str:
        found = self.sources(name, globals_too=globals_too)
        if not found or not found[0].text.strip():
            return ""
        raw, key = found[0], (name, globals_too)
        if "}}" not in raw.text or key in self._known:
            return self._known.get(key, raw.text)
        if (name, raw) in trail or len(trail) > MAX_CHAIN:
            self._circles += 1
            is_global = globals_too and raw.kind == "global" and len(trail) <= MAX_CHAIN
            return self._resolved(name, trail, globals_too=False) if is_global else ""
        if self._grows(name, raw):
            self.endless.add(name)
        before = self._circles
        text = self._filled(raw.text, (*trail, (name, raw)))
        if not trail or self._circles == before:
            self._known[key] = text
        return text

    def _filled(self, text: str, trail: Trail) -> str:
        try:
            nodes = parse(text)
        except Malformed:
            return text
        result = filled(nodes, lambda tag: self._of_reference(tag, trail))
        if len(result) > MAX_CHARACTERS:
            self.endless.add(trail[-1][0] if trail else text[:40])
            return ""
        return result

    def _of_reference(self, tag: str, trail: Trail) -> str:
        declared = self.model.by_tag.get(tag)
        name = declared.name if declared else tag
        text = self._resolved(name, trail)
        return text if text.strip() else self.model.tag_default(tag)

    def _grows(self, name: str, raw: Raw) -> bool:
        """Whether a value holds itself and something more."""
        if (
            raw.text.strip().startswith("{{")
            and raw.text.strip().endswith("}}")
            and raw.text.count("{{") == 1
        ):
            return False
        seen: set[str] = set()
        waiting = list(references(raw.text))
        while waiting:
            other = waiting.pop()
            if other == name:
                lower = self.sources(name, globals_too=False)
                return not (raw.kind == "global" and lower and name not in references(lower[0].text))
            if other not in seen:
                seen.add(other)
                found = self.raw(other)
                waiting += references(found.text) if found else []
        return False

    def _all_values(self) -> Iterator[tuple[str, str]]:
        yield from self.platform.globals.simple.items()
        yield from self.deployed.values.simple.items()
        for items in self.deployed.values.iterables.values():
            for item in items:
                yield from _item_values(item)


def _item_values(item: Item) -> Iterator[tuple[str, str]]:
    yield from item.values.items()
    for items in item.iterables.values():
        for inner in items:
            yield from _item_values(inner)


def references(text: str) -> tuple[str, ...]:
    """The names that a value refers to."""
    if "}}" not in text:
        return ()
    try:
        nodes = parse(text)
    except Malformed:
        return ()
    return tuple(tag.text for tag in tags(nodes))


def is_plain(text: str) -> bool:
    """Whether a value does nothing but refer to names: no sections, no delimiters of its own."""
    if "}}" not in text:
        return True
    try:
        nodes = parse(text)
    except Malformed:
        return False
    return not list(sections(nodes)) and "{{=" not in text
