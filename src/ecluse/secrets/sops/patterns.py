"""Regular expressions as Go reads them (RE2), on Python's engine. What RE2 does not know matches nothing here."""

from __future__ import annotations

import re
from functools import lru_cache

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_CLASS = re.compile(r"\[:(\w+):\]")
_UNKNOWN = re.compile(r"\(\?(?:[=!>#(]|<[=!]|P[=>])|\\[1-9]|\\[GZ]|[*+?}]\+|\(\?[A-Za-z-]*[xauL]")


class BadPattern(ValueError):
    """A text that RE2 does not take for a pattern."""


@lru_cache(maxsize=256)
def go_pattern(pattern: str) -> re.Pattern[str]:
    """Raises BadPattern."""
    bare = re.sub(r"\\\\", "", pattern)
    if _UNKNOWN.search(bare):
        raise BadPattern(pattern)
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except re.error as error:
        raise BadPattern(pattern) from error


def matches(pattern: str, text: str) -> bool:
    """Whether it is found anywhere in `text`; never, for a bad pattern."""
    try:
        return go_pattern(pattern).search(text) is not None
    except BadPattern:
        return False


def _translated(pattern: str) -> str:
    """`$` is the end of the text and not of the last line; classes have POSIX names."""
    pattern = _CLASS.sub(lambda found: _POSIX.get(found[1], found[0]), pattern)
    result, index, in_class = [], 0, False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            pair = pattern[index : index + 2]
            result.append(r"\Z" if pair == r"\z" else pair)
            index += 2
            continue
        in_class = character == "[" or (in_class and character != "]")
        result.append(r"\Z" if character == "$" and not in_class else character)
        index += 1
    return "".join(result)
