"""JSON ↔ tree. Names may come twice, and what follows the object is not read, as SOPS has it (stores/json/store.go)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ecluse.secrets.sops.tree import BadFile, Branch, Item, Node, Series, Time, float_text

MAX_DEPTH = 200
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = " \t\r\n"


def read_json(text: str) -> list[Branch]:
    """BadFile when it is no JSON object."""
    start = len(text) - len(text.lstrip(_BLANK))
    try:
        found, _ = _DECODER.raw_decode(text, start)
        branch = _clean(found, 0)
    except (ValueError, RecursionError):
        raise BadFile("is not JSON") from None
    if not isinstance(branch, Branch):
        raise BadFile("is not a JSON object")
    return [branch]


def write_json(branches: Sequence[Branch]) -> str:
    """Indented with tabs, as SOPS does. Comments have no place in JSON and are left out."""
    plain = _plain(branches[0] if branches else Branch())
    return json.dumps(plain, indent="\t", ensure_ascii=False) + "\n"


class _Pairs(dict[str, Any]):
    """An object whose names may come twice, for the encoder."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


def _pairs(pairs: list[tuple[str, Any]]) -> Branch:
    return Branch(Item(key, value) for key, value in pairs)


def _integer(text: str) -> int | float:
    number = int(text) if len(text) < 25 else 2**64
    return number if -(2**63) <= number < 2**63 else _real(text)


def _real(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _constant(text: str) -> float:
    raise ValueError(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=True
)


def _clean(node: Any, depth: int) -> Node:
    """Halves of characters become the sign for what cannot be read."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(node, Branch):
        return Branch(Item(_whole(one.key), _clean(one.value, depth + 1)) for one in node.items())
    if isinstance(node, list):
        return Series(_clean(one, depth + 1) for one in node)
    return _whole(node) if isinstance(node, str) else node


def _whole(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _plain(node: Node) -> Any:
    if isinstance(node, Branch):
        return _Pairs([(item.key, _plain(item.value)) for item in node.items()]) if node else {}
    if isinstance(node, Series):
        return [_plain(one) for one in node.values()]
    if isinstance(node, float) and node and node.is_integer() and abs(node) < 1e21:
        return int(float_text(node))
    return node.text if isinstance(node, Time) else node
