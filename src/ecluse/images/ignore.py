"""The rules of .dockerignore, as moby's patternmatcher and ignorefile packages define them. Pure.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern, relative to the context; `keeps` for those that begin with `!`."""

    pattern: str
    keeps: bool

    def matches(self, path: str) -> bool:
        """Whether the pattern is `path` or one of its parent folders."""
        expression = _expression(self.pattern)
        parts = path.split("/")
        return any(expression.fullmatch("/".join(parts[: end + 1])) for end in range(len(parts)))


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a .dockerignore, in order. Lines that begin with # are comments."""
    lines = text.removeprefix("\ufeff").splitlines()
    patterns = (line.strip() for line in lines if not line.startswith("#"))
    return tuple(rule for pattern in patterns if (rule := _rule(pattern)))


def _rule(pattern: str) -> Rule | None:
    keeps = pattern.startswith("!")
    bare = pattern[1:].strip() if keeps else pattern
    if not bare:
        return None
    clean = posixpath.normpath(bare)
    return Rule(clean.lstrip("/") if len(clean) > 1 else clean, keeps)


def is_ignored(path: str, rules: Sequence[Rule]) -> bool:
    """Whether `path` (relative, with /) stays out of the context: the last rule that matches decides."""
    ignored = False
    for rule in rules:
        if rule.keeps == ignored and rule.matches(path):
            ignored = not rule.keeps
    return ignored


def may_keep_below(rules: Sequence[Rule]) -> bool:
    """Whether a file inside an ignored folder might come back, so that the folder must be looked into."""
    return any(rule.keeps for rule in rules)


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_translate(pattern), re.DOTALL)


def _translate(pattern: str) -> str:
    """Go's filepath.Match, with `**` for any number of folders."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        text, position = _translate_one(pattern, position)
        out.append(text)
    return "".join(out)


def _translate_one(pattern: str, at: int) -> tuple[str, int]:
    """The expression for what stands at `at`, and where the rest begins."""
    if pattern.startswith("**", at):
        rest = at + 3 if pattern.startswith("/", at + 2) else at + 2
        return (".*" if rest >= len(pattern) else "(?:.*/)?"), rest
    character = pattern[at]
    if character == "[" and (end := _end_of_class(pattern, at)):
        return pattern[at:end], end
    if character == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    return {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character), at + 1


def _end_of_class(pattern: str, at: int) -> int | None:
    end = pattern.find("]", at + 2)
    return end + 1 if end > 0 else None
