"""What a tag says of its property: `name | comment @required @default "x"`. Pure.

As Hesperides reads it: the name ends at the first `|`; annotations are told by name in any case, first or after
a space; a bare value is one word, quotes allow spaces and `\\` escapes; text before the first one is the comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANNOTATION = re.compile(r"(?:^|(?<=\s))@(required|comment|default|pattern|password)(?=\s|$)", re.IGNORECASE)
_QUOTED = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""", re.DOTALL)


class BadAnnotation(ValueError):
    """Annotations that Hesperides refuses."""


@dataclass(frozen=True, slots=True)
class Property:
    """What one tag declares. default: None where it has none."""

    name: str
    comment: str = ""
    required: bool = False
    password: bool = False
    default: str | None = None
    pattern: str | None = None


def declared(tag: str) -> Property:
    """Raises BadAnnotation."""
    name, bar, rest = tag.partition("|")
    if not bar:
        return Property(name.strip())
    found = _annotations(rest)
    comment = rest[: found[0][1]].strip() if found else rest.strip()
    facts: dict[str, str | None] = {}
    flags = set()
    for index, (kind, _, end) in enumerate(found):
        text = rest[end : found[index + 1][1] if index + 1 < len(found) else len(rest)]
        if kind in ("required", "password"):
            flags.add(kind)
        elif kind in facts:
            raise BadAnnotation(f"{name.strip()} has two @{kind}")
        else:
            facts[kind] = _value(text)
    if "required" in flags and facts.get("default") is not None:
        raise BadAnnotation(f"{name.strip()} is @required and has a @default")
    return Property(
        name.strip(),
        facts.get("comment") or comment,
        "required" in flags,
        "password" in flags,
        facts.get("default"),
        facts.get("pattern"),
    )


def _annotations(text: str) -> list[tuple[str, int, int]]:
    """(kind, begin, end) of each annotation; those inside of quotes are text."""
    found, at = [], 0
    while match := _ANNOTATION.search(text, at):
        at = match.end()
        found.append((match[1].lower(), match.start(), match.end()))
        if quoted := _QUOTED.match(text, at):
            at = quoted.end()
    return found


def _value(text: str) -> str | None:
    if quoted := _QUOTED.match(text):
        inside = quoted[1] if quoted[1] is not None else quoted[2]
        return re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)
    words = text.split()
    return words[0] if words else None
