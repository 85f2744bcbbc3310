"""What a layer says for each property of a unit in one environment, so that it comes to Hesperides' value. Pure.

References stay references where ours come to the same text; elsewhere the text itself is written, and told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ecluse.importers.hesperides.dump import Item
from ecluse.importers.hesperides.model import Fields
from ecluse.importers.hesperides.mustache import Node, Tag, parse
from ecluse.importers.hesperides.valuation import MAX_CHARACTERS, Kind, Valuation, is_plain
from ecluse.importers.keys import escaped
from ecluse.model.service import Plain

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
MAX_DEPTH = 30
NOWHERE = "\0"
"""What a reference that leads nowhere comes to here: no value of Hesperides has it."""
PLATFORM_NAME = "hesperides.platform.name"


@dataclass(frozen=True, slots=True)
class Cell:
    """text: as a layer has it. final: what it must come to. is_flat: references were replaced by their text."""

    text: str
    final: str
    kind: Kind
    is_flat: bool = False


@dataclass(slots=True)
class Sheet:
    """The cells of a unit in one environment. default: what the contract says for a name, None where each tag
    says it for itself."""

    environment: str
    seen: Valuation
    key: Callable[[str], str]
    names: Sequence[str]
    default: Mapping[str, str | None]
    cells: dict[str, Cell] = field(default_factory=dict)
    _ours: dict[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """Gives every name its cell; those that the default serves have none."""
        for name in self.names:
            if cell := self._first(name):
                self.cells[name] = cell
        for _ in range(len(self.names) + 1):
            self._ours.clear()
            wrong = [name for name in self.names if self.ours(name) != self.wanted(name)]
            for name in wrong:
                kind = self.cells[name].kind if name in self.cells else "module"
                wanted = self.wanted(name)
                self.cells[name] = Cell(escaped(wanted), wanted, kind, is_flat=True)
            if not wrong:
                return

    def wanted(self, name: str) -> str:
        """What our key must come to. Without a value it is the contract's default, or what tags say for themselves."""
        value = self.seen.value(name)
        if value is not None:
            return value
        theirs = self.seen.model.default(name) or ""
        return theirs if self.default.get(name) is not None else ""

    def ours(self, name: str, depth: int = 0) -> str:
        if name not in self._ours:
            cell = self.cells.get(name)
            self._ours[name] = NOWHERE
            text = cell.text if cell else escaped(self.default.get(name) or "")
            self._ours[name] = self.come_to(text, depth)
        return self._ours[name]

    def come_to(self, text: str, depth: int = 0) -> str:
        """What a text of a layer resolves to here."""
        if depth > MAX_DEPTH:
            return NOWHERE
        names = {f"app.{self.key(name)}": name for name in self.names} if "${" in text else {}

        def value(found: re.Match[str]) -> str:
            if found[1] is None:
                return "${"
            if found[1] == "environment.name":
                return self.environment
            return self.ours(names[found[1]], depth + 1) if found[1] in names else NOWHERE

        result = _TOKEN.sub(value, text)
        return result if len(result) <= MAX_CHARACTERS else NOWHERE

    def item(self, item: Item, fields: Fields) -> dict[str, Plain]:
        """An item as a map; what is blank is left out, so that the default or the module's value serves."""
        result: dict[str, Plain] = {}
        if item.title and "title" not in {*fields.names, *fields.iterables}:
            result["title"] = escaped(item.title)
        for name, raw in item.values.items():
            final = self.seen.text(raw)
            if final.strip() and name in fields.names:
                text = self.written(raw)
                result[name] = text if self.come_to(text) == final else escaped(final)
        for name, items in item.iterables.items():
            if name in fields.iterables:
                result[name] = [self.item(inner, fields.iterables[name]) for inner in items]
        return result

    def written(self, raw: str) -> str:
        """A value with its references as ours."""
        if not is_plain(raw) or "}}" not in raw:
            return escaped(raw)
        return "".join(map(self._piece, parse(raw)))

    def _piece(self, node: Node) -> str:
        if not isinstance(node, Tag):
            return escaped(node) if isinstance(node, str) else ""
        declared = self.seen.model.by_tag.get(node.text)
        name = declared.name if declared else node.text
        return f"${{app.{self.key(name)}}}" if name in self.names else ""

    def _first(self, name: str) -> Cell | None:
        raw = self.seen.raw(name)
        wanted = self.wanted(name)
        if raw is None:
            return (
                Cell(escaped(wanted), wanted, "module") if wanted != (self.default.get(name) or "") else None
            )
        if name == PLATFORM_NAME and raw.kind == "predefined" and raw.text == self.environment:
            return Cell("${environment.name}", raw.text, raw.kind)
        return Cell(self.written(raw.text), wanted, raw.kind, is_flat=not is_plain(raw.text))
