"""`${…}` in values: what the whole value is keeps its type, what is inside a text is written out. Pure.

`$${` is a literal `${`. Secrecy follows references. Chains and sizes are bounded, so that no few lines make
a text that fills the memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ecluse.config.types import written
from ecluse.model.secret import Sealed
from ecluse.model.service import Plain

MAX_CHAIN = 32
MAX_CHARACTERS = 262_144
MAX_LEVELS = 60
_LONGEST_TRACE = 20
ROOTS = ("app", "run", "service", "backing", "environment", "product", "release")
_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Value:
    """A resolved value. A Sealed is a secret text that nobody needed to read yet.

    through: the references on the way, outermost first. chain, characters, levels: how long, large, nested.
    """

    data: Plain | Sealed
    secret: bool = False
    through: tuple[str, ...] = ()
    chain: int = 0
    characters: int = 0
    levels: int = 0


Refer = Callable[[str], Value]
Reveal = Callable[[Sealed], str]


class BadReference(Exception):
    """References that lead nowhere: messages with hints. Without any, the reason is reported elsewhere."""

    def __init__(self, *told: tuple[str, str | None]) -> None:
        super().__init__(*(message for message, _ in told))
        self.told = told


def is_well_meant(data: Plain) -> bool:
    """Whether a value is made of references: it has some, and each begins as a reference does."""
    if not isinstance(data, str):
        return False
    tokens = list(_TOKEN.finditer(data))
    return bool(tokens) and all(token[1] and token[1].split(".")[0].strip() in ROOTS for token in tokens)


def references_in(data: Plain) -> tuple[str, ...]:
    """What a written value refers to, each once, in order."""
    if isinstance(data, str):
        found = [token[1].strip() for token in _TOKEN.finditer(data) if token[1]] if "${" in data else []
    elif isinstance(data, dict | list):
        items = data.values() if isinstance(data, dict) else data
        found = [reference for item in items for reference in references_in(item)]
    else:
        found = []
    return tuple(dict.fromkeys(found))


def interpolate(data: Plain | Sealed, refer: Refer, reveal: Reveal) -> Value:
    """`data` with every reference replaced; BadReference tells all that are wrong in it."""
    if isinstance(data, str):
        return _text(data, refer, reveal) if "${" in data else Value(data, characters=len(data))
    if isinstance(data, Sealed):
        return Value(data, secret=True, characters=100)
    if isinstance(data, dict):
        items = _each(list(data.values()), refer, reveal)
        return _whole(dict(zip(data, (item.data for item in items), strict=True)), items, reveal)
    if isinstance(data, list):
        items = _each(data, refer, reveal)
        return _whole([item.data for item in items], items, reveal)
    return Value(data, characters=8)


def _each(values: Sequence[Plain | Sealed], refer: Refer, reveal: Reveal) -> list[Value]:
    told: list[tuple[str, str | None]] = []
    result = []
    is_broken = False
    for value in values:
        try:
            result.append(interpolate(value, refer, reveal))
        except BadReference as error:
            is_broken = True
            told += error.told
    if is_broken:
        raise BadReference(*told)
    return result


def _whole(
    data: Mapping[str, Plain | Sealed] | Sequence[Plain | Sealed], items: Sequence[Value], reveal: Reveal
) -> Value:
    revealed: Plain
    if isinstance(data, Mapping):
        revealed = {key: _open(value, reveal) for key, value in data.items()}
    else:
        revealed = [_open(value, reveal) for value in data]
    return _bounded(revealed, items, levels=1)


def _text(text: str, refer: Refer, reveal: Reveal) -> Value:
    tokens = list(_TOKEN.finditer(text))
    references = [token[1] for token in tokens if token[1] is not None]
    values = _referred(references, refer, is_open=any(token[0] == "${" for token in tokens))
    if len(tokens) == 1 and references and tokens[0].span() == (0, len(text)):
        return _bounded(values[0].data, _traced(references, values))
    pieces, at = [], 0
    brought = iter(values)
    for token in tokens:
        pieces.append(text[at : token.start()])
        pieces.append("${" if token[1] is None else _inside(token[1], next(brought), reveal))
        at = token.end()
    return _bounded("".join([*pieces, text[at:]]), _traced(references, values), extra=len(text))


def _referred(references: Sequence[str], refer: Refer, *, is_open: bool) -> list[Value]:
    told: list[tuple[str, str | None]] = []
    if is_open:
        told.append(("has a ${ that is never closed", "write $${ for a literal ${"))
    is_broken, values = is_open, []
    for reference in references:
        try:
            values.append(refer(reference.strip()))
        except BadReference as error:
            is_broken = True
            told += error.told
    if is_broken:
        raise BadReference(*told)
    if sum(value.characters for value in values) > MAX_CHARACTERS:
        raise BadReference((f"becomes longer than {MAX_CHARACTERS} characters", None))
    return values


def _traced(references: Sequence[str], values: Sequence[Value]) -> list[Value]:
    return [
        Value(
            None,
            value.secret,
            (reference.strip(), *value.through),
            value.chain + 1,
            value.characters,
            value.levels,
        )
        for reference, value in zip(references, values, strict=True)
    ]


def _bounded(data: Plain | Sealed, parts: Sequence[Value], *, levels: int = 0, extra: int = 0) -> Value:
    chain = max((part.chain for part in parts), default=0)
    levels += max((part.levels for part in parts), default=0)
    characters = sum(part.characters for part in parts) + extra
    if chain > MAX_CHAIN:
        raise BadReference((f"goes through more than {MAX_CHAIN} references", None))
    if characters > MAX_CHARACTERS or levels > MAX_LEVELS:
        raise BadReference((f"becomes longer than {MAX_CHARACTERS} characters", None))
    through = tuple(dict.fromkeys(name for part in parts for name in part.through))[:_LONGEST_TRACE]
    return Value(data, any(part.secret for part in parts), through, chain, characters, levels)


def _inside(reference: str, value: Value, reveal: Reveal) -> str:
    if value.data is None:
        raise BadReference((f"{reference} has no value", "give it one, or make it the whole value"))
    return written(_open(value.data, reveal))


def _open(data: Plain | Sealed, reveal: Reveal) -> Plain:
    return reveal(data) if isinstance(data, Sealed) else data
