"""YAML text → trees with their comments, one for each document. Aliases are written out, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecluse.secrets.sops import scalars
from ecluse.secrets.sops.tree import BadFile, Branch, Item, Leaf, Node, Series
from ecluse.secrets.sops.yaml_comments import Found, Slot, find_comments, place_comments

MAX_DEPTH = 200
MAX_NODES = 200_000


def read_yaml(text: str) -> list[Branch]:
    """BadFile when it is no YAML, or not such as SOPS can hold: a map at the top, keys that are texts."""
    text = text.removeprefix("\ufeff")
    reading = _Reading(text)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            reading.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        raise BadFile(f"is not YAML (line {mark.line + 1})" if mark else "is not YAML") from None
    reading.comments()
    return reading.branches


@dataclass(slots=True)
class _Open:
    """A collection that is being read. key: that of the value to come. block: written on lines of its own."""

    node: Branch | Series
    column: int
    block: bool
    key: str | None = None
    key_mark: tuple[int, int] = (0, 0)
    keys: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Reading:
    text: str
    branches: list[Branch] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    open_anchors: list[tuple[str, int]] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    count: int = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.end(event)
            case yaml.ScalarEvent():
                self.scalar(event)
            case yaml.AliasEvent():
                self.add(self.alias(event.anchor or ""), event)
            case yaml.DocumentStartEvent():
                self.anchors = {}
            case yaml.DocumentEndEvent():
                self.ends.append(_begin(event).line)

    def begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self.stack) > MAX_DEPTH:
            raise BadFile("is nested too deep")
        is_map = isinstance(event, yaml.MappingStartEvent)
        node: Branch | Series = Branch() if is_map else Series()
        if not self.stack and not is_map:
            raise BadFile("has a list at the top, where SOPS needs a map")
        self.add(node, event)
        mark = _begin(event)
        self.stack.append(_Open(node, mark.column, not event.flow_style))
        if event.anchor:
            self.anchors[event.anchor] = node
            self.open_anchors.append((event.anchor, len(self.stack)))

    def end(self, event: yaml.Event) -> None:
        self.open_anchors = [one for one in self.open_anchors if one[1] < len(self.stack)]
        self.stack.pop()
        if self.slots:
            self.slots[-1].end = max(self.slots[-1].end, self.last_line(event))

    def last_line(self, event: yaml.Event) -> int:
        """A flow collection ends with its bracket; a block has no end of its own."""
        mark = _end(event)
        return mark.line if mark.index > _begin(event).index else 0

    def scalar(self, event: yaml.ScalarEvent) -> None:
        mark = _begin(event)
        self.spans.append((mark.index, _end(event).index))
        top = self.stack[-1] if self.stack else None
        if top and isinstance(top.node, Branch) and top.key is None:
            self.take_key(top, event)
            return
        value = self.value(event)
        self.add(value, event)
        if event.anchor:
            self.anchors[event.anchor] = value
        if self.slots:
            slot = self.slots[-1]
            slot.end, slot.is_scalar = _end(event).line, event.style not in ("|", ">")

    def value(self, event: yaml.ScalarEvent) -> Leaf | None:
        if event.tag and event.tag != "!":
            return scalars.tagged(event.tag, event.value)
        return scalars.resolve(event.value) if event.implicit[0] and not event.tag else event.value

    def take_key(self, top: _Open, event: yaml.ScalarEvent) -> None:
        key = event.value if event.value == "<<" else self.value(event)
        if not isinstance(key, str):
            raise BadFile(f"has a key that is no text (line {_begin(event).line + 1})")
        if key in top.keys:
            raise BadFile(f"has a key twice (line {_begin(event).line + 1})")
        top.keys.add(key)
        top.key, top.key_mark = key, (_begin(event).line, _begin(event).column)

    def alias(self, anchor: str) -> Node:
        if anchor not in self.anchors or any(anchor == name for name, _ in self.open_anchors):
            raise BadFile("has an alias that leads nowhere")
        return self.copy(self.anchors[anchor])

    def copy(self, node: Node) -> Node:
        self.grow()
        if isinstance(node, Branch):
            return Branch(Item(one.key, self.copy(one.value)) for one in node.items())
        if isinstance(node, Series):
            return Series(self.copy(one) for one in node.values())
        return node

    def grow(self) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise BadFile("holds too much")

    def add(self, node: Node, event: yaml.Event) -> None:
        """Puts a value into the collection that is open, or begins a document with it."""
        self.grow()
        mark = _begin(event)
        if not self.stack:
            if not isinstance(node, Branch):
                if node is not None:
                    raise BadFile("is a single value, where SOPS needs a map")
                node = Branch()
            self.branches.append(node)
            return
        top = self.stack[-1]
        if isinstance(top.node, Branch):
            if top.key is None:
                raise BadFile(f"has a key that is no text (line {mark.line + 1})")
            item = Item(top.key, node)
            self.slot(top, *top.key_mark, item)
            top.node.append(item)
            top.key = None
        else:
            self.slot(top, mark.line, top.column, node)
            top.node.append(node)

    def slot(self, top: _Open, line: int, column: int, item: Item | Node) -> None:
        if top.block:
            chain = tuple((one.node, one.column) for one in self.stack if one.block)
            self.slots.append(Slot(line, column, top.node, len(top.node), chain, len(self.branches) - 1))

    def comments(self) -> None:
        found = list(find_comments(self.text, self.spans))
        place_comments(found, self.slots, self.branches, list(self.document_ends(found)))

    def document_ends(self, found: list[Found]) -> Iterator[int]:
        yield from self.ends[:-1]
        if self.ends:
            yield max([self.ends[-1], *(one.line + 1 for one in found)])


def _begin(event: yaml.Event) -> Any:
    assert event.start_mark
    return event.start_mark


def _end(event: yaml.Event) -> Any:
    assert event.end_mark
    return event.end_mark
