"""Nested metadata ↔ flat names, for formats without nesting: `age__list_0__map_enc` (stores/flatten.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ecluse.secrets.sops.tree import BadFile, Branch, Item, Node, Series

_SEPARATOR = re.compile(r"(__map_|__list_)")


def flatten(branch: Branch, prefix: str = "") -> Iterator[Item]:
    for item in branch.items():
        yield from _flattened(item.value, prefix + item.key)


def _flattened(node: Node, name: str) -> Iterator[Item]:
    if isinstance(node, Branch):
        yield from flatten(node, name + "__map_")
    elif isinstance(node, Series):
        for index, value in enumerate(node.values()):
            yield from _flattened(value, f"{name}__list_{index}")
    else:
        yield Item(name, node)


def unflatten(items: Branch) -> Branch:
    """BadFile when the names do not make a tree."""
    root: dict[Any, Any] = {}
    for item in items.items():
        *way, last = _tokens(item.key)
        place = root
        for token in way:
            place = place.setdefault(token, {})
            if not isinstance(place, dict):
                raise BadFile("its metadata does not make a tree")
        if last in place:
            raise BadFile("its metadata says something twice")
        place[last] = item
    tree = _grown(root)
    if not isinstance(tree, Branch):
        raise BadFile("its metadata does not make a tree")
    return tree


def _tokens(name: str) -> list[str | int]:
    first, *rest = _SEPARATOR.split(name)
    tokens: list[str | int] = [first]
    for separator, token in zip(rest[::2], rest[1::2], strict=True):
        tokens.append(token if separator == "__map_" else int(token) if token.isdecimal() else 0)
    return tokens


def _grown(place: dict[Any, Any] | Item) -> Node:
    if isinstance(place, Item):
        return place.value
    if not any(isinstance(token, int) for token in place):
        return Branch(Item(token, _grown(place[token])) for token in sorted(place))
    if sorted(place, key=str) != sorted(range(len(place)), key=str):
        raise BadFile("its metadata has a list with gaps")
    return Series(_grown(place[index]) for index in range(len(place)))
