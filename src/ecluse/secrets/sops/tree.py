"""A document as SOPS sees it: an ordered tree with its comments. Knows no file format and no cipher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


class BadFile(Exception):
    """A text that is no file of SOPS, or not one that opens. Never carries a value of the file."""


class MacMismatch(BadFile):
    """What the file says was changed without its key."""


@dataclass(frozen=True, slots=True)
class Comment:
    """The text after `#`. inline: it stands at the end of the line of the item that follows it in the branch."""

    text: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """A moment as RFC 3339 writes it."""

    text: str


@dataclass(slots=True)
class Item:
    key: str
    value: Node


class Branch(list["Item | Comment"]):
    """A map: items in their order, and the comments between them."""

    def items(self) -> Iterator[Item]:
        return (item for item in self if isinstance(item, Item))

    def find(self, key: str) -> Item | None:
        return next((item for item in self.items() if item.key == key), None)


class Series(list["Node | Comment"]):
    """A list: values, and the comments between them."""

    def values(self) -> Iterator[Node]:
        return (value for value in self if not isinstance(value, Comment))


Leaf = str | int | float | bool | Time
Node = Leaf | None | Branch | Series
Path = tuple[str | int, ...]


def float_text(number: float) -> str:
    """As Go's FormatFloat(x, 'f', -1, 64): the shortest digits, never an exponent."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "+Inf" if number > 0 else "-Inf"
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def leaf_text(leaf: Leaf | Comment) -> str:
    """What of a leaf is encrypted, and counted in the MAC."""
    match leaf:
        case bool():
            return "True" if leaf else "False"
        case float():
            return float_text(leaf)
        case Time() | Comment():
            return leaf.text
        case _:
            return str(leaf)


def to_bytes(text: str) -> bytes:
    """Texts that are not UTF-8 keep their bytes."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def leaves(node: Node | Comment, path: Path = ()) -> Iterator[tuple[Path, Leaf | None]]:
    """Every value with its path, list indexes included; comments left out. Empty maps and lists have none."""
    if isinstance(node, Branch):
        for item in node.items():
            yield from leaves(item.value, (*path, item.key))
    elif isinstance(node, Series):
        for index, value in enumerate(node.values()):
            yield from leaves(value, (*path, index))
    elif not isinstance(node, Comment):
        yield path, node


def copied(node: Node) -> Node:
    """A tree that shares nothing that can change."""
    if isinstance(node, Branch):
        return Branch(Item(one.key, copied(one.value)) if isinstance(one, Item) else one for one in node)
    if isinstance(node, Series):
        return Series(one if isinstance(one, Comment) else copied(one) for one in node)
    return node
