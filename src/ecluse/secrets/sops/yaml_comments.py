"""Where the comments of a YAML text stand in its tree. libyaml drops them, so they are found beside what it read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecluse.secrets.sops.tree import Branch, Comment, Series

Collection = Branch | Series


@dataclass(frozen=True, slots=True)
class Found:
    """A comment of the text. alone: nothing else stands on its line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(slots=True)
class Slot:
    """An item of a block collection: where it begins and ends, and at which index of its collection it is.

    chain: the collections around it with their columns, outermost first, its own included.
    """

    line: int
    column: int
    home: Collection
    index: int
    chain: tuple[tuple[Collection, int], ...]
    document: int
    end: int = 0
    is_scalar: bool = False


def find_comments(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """`spans`: the beginning and end of each scalar, in order; a `#` inside is no comment."""
    starts = [start for start, _ in spans]
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        bare = line.rstrip("\r\n\x85\u2028\u2029")
        column = _comment_column(bare, offset, spans, starts)
        if column is not None:
            yield Found(number, column, bare[column + 1 :], not bare[:column].strip())
        offset += len(line)


def _comment_column(
    line: str, offset: int, spans: Sequence[tuple[int, int]], starts: Sequence[int]
) -> int | None:
    column = line.find("#")
    while column >= 0:
        at = offset + column
        index = bisect_right(starts, at) - 1
        is_inside = index >= 0 and at < spans[index][1]
        if not is_inside and (column == 0 or line[column - 1] in " \t"):
            return column
        column = line.find("#", column + 1)
    return None


def place_comments(
    found: Sequence[Found], slots: Sequence[Slot], branches: Sequence[Branch], ends: Sequence[int]
) -> None:
    """Puts each comment into the collection that it speaks in: before its item, or at the end."""
    inserts: dict[int, list[tuple[int, int, Comment]]] = {}
    homes: dict[int, Collection] = {}
    lines = [slot.line for slot in slots]
    for order, one in enumerate(found):
        if not branches:
            return
        document = min(bisect_right(list(ends), one.line), len(branches) - 1)
        home, index, comment = _place(one, slots, lines, document, branches[document])
        homes[id(home)] = home
        inserts.setdefault(id(home), []).append((index, order, comment))
    for key, placed in inserts.items():
        for index, _, comment in sorted(placed, key=lambda entry: entry[:2], reverse=True):
            homes[key].insert(index, comment)


def _place(
    one: Found, slots: Sequence[Slot], lines: Sequence[int], document: int, root: Branch
) -> tuple[Collection, int, Comment]:
    after = bisect_left(lines, one.line if one.alone else one.line + 1)
    before = slots[after - 1] if after and slots[after - 1].document == document else None
    following = slots[after] if after < len(slots) and slots[after].document == document else None
    if not one.alone and before:
        comment = Comment(one.text, inline=before.is_scalar and before.end == one.line)
        return before.home, before.index, comment
    comment = Comment(one.text)
    if following and (one.column <= following.column or before is None):
        return following.home, following.index, comment
    if before is None:
        return root, len(root), comment
    home = next((home for home, column in reversed(before.chain) if column <= one.column), before.chain[0][0])
    return home, len(home), comment
