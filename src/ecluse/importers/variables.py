"""`$NAME` and `${NAME:-…}` in texts, as Docker Compose reads them. Pure.

The rules: docs.docker.com/reference/compose-file/interpolation. Values are put in as they are and never
expanded again, so nothing goes round; sizes are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_CHARACTERS = 262_144
MAX_DEPTH = 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", "-", ":?", "?", ":+", "+")

Lookup = Callable[[str], str | None]


class Unexpandable(Exception):
    """A text whose variables cannot be replaced; says why, without a value."""


@dataclass(slots=True)
class Expander:
    """lookup: the value of a variable, None when it is not set. `$$` is a literal `$`.

    strict: a `$` that begins no variable is an error instead of itself.
    unset: the variables that were asked for in vain. used: all that were asked for.
    """

    lookup: Lookup
    strict: bool = False
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def expand(self, text: str, depth: int = 0) -> str:
        """Raises Unexpandable."""
        if depth > MAX_DEPTH:
            raise Unexpandable(f"nests more than {MAX_DEPTH} variables")
        pieces, at, size = [], 0, 0
        while (start := text.find("$", at)) >= 0:
            value, end = self._variable(text, start, depth)
            pieces += [text[at:start], value]
            size += start - at + len(value)
            if size > MAX_CHARACTERS:
                raise Unexpandable(f"becomes longer than {MAX_CHARACTERS} characters")
            at = end
        return "".join([*pieces, text[at:]])

    def _variable(self, text: str, start: int, depth: int) -> tuple[str, int]:
        """What stands for the variable that begins at `start`, and where it ends."""
        if text.startswith("$$", start):
            return "$", start + 2
        if text.startswith("${", start):
            end = _closing(text, start)
            if end < 0:
                raise Unexpandable("has a ${ that is never closed")
            return self._braced(text[start + 2 : end], depth), end + 1
        if found := _NAME.match(text, start + 1):
            return self._plain(found[0]), found.end()
        if self.strict:
            raise Unexpandable("has a $ that begins no variable: $$ is a literal $")
        return "$", start + 1

    def _braced(self, inside: str, depth: int) -> str:
        found = _NAME.match(inside)
        if not found:
            raise Unexpandable("has a ${…} without the name of a variable")
        name, rest = found[0], inside[found.end() :]
        if not rest:
            return self._plain(name)
        operator = next((one for one in _OPERATORS if rest.startswith(one)), None)
        if operator is None:
            raise Unexpandable(f"has ${{{name}…}} with something after the name that is no operator")
        self.used.add(name)
        value = self.lookup(name)
        has_value = bool(value) if operator.startswith(":") else value is not None
        other = rest[len(operator) :]
        match operator[-1]:
            case "+":
                return self.expand(other, depth + 1) if has_value else ""
            case "?" if not has_value:
                raise Unexpandable(f"needs the variable {name}, which is not set")
        return str(value) if has_value else self.expand(other, depth + 1)

    def _plain(self, name: str) -> str:
        self.used.add(name)
        value = self.lookup(name)
        if value is None:
            self.unset.add(name)
        return value or ""


def _closing(text: str, start: int) -> int:
    """Where the brace after `start` is closed, -1 when it is not."""
    depth = 0
    at = start
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 2
        elif text.startswith("$$", at):
            at += 2
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
            at += 1
        else:
            at += 1
    return -1
