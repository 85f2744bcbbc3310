"""YAML text → plain values and the line of every node. Knows nothing of what the values mean.

The YAML 1.2 core schema (yaml.org/spec/1.2.2, section 10.3), without aliases, tags and merge keys: `yes`,
`on` and `22:22` are texts, `010` is ten.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecluse.errors import Location, Problem
from ecluse.model.service import Plain, Scalar

Path = tuple[str | int, ...]

MAX_CHARACTERS = 1_048_576
MAX_DEPTH = 40
_SAFE_TO_COMPOSE = 900
"""libyaml's composer recurses on the C stack; below this bound it needs no check beforehand."""

_CORE = "tag:yaml.org,2002:"
_STR, _NULL, _BOOL, _INT, _FLOAT = (_CORE + name for name in ("str", "null", "bool", "int", "float"))
_COLLECTIONS = (_CORE + "map", _CORE + "seq")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALIAS_HINT = "write the value out, or say it once in a less specific layer and refer to it as ${app.KEY}"


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its value (None when it is empty or broken), the line of every path, and what is wrong."""

    file: str
    value: Plain
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...] = ()

    def location(self, path: Path) -> Location:
        """Where `path` stands, or the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return Location(self.file, self.lines.get(path, 0))

    def problem(self, path: Path, message: str, hint: str | None = None) -> Problem:
        return Problem(self.location(path), dotted(path), message, hint)


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


def read_document(text: str, file: str) -> Document:
    """Never raises: what is wrong is in `problems`, and what could be read is in `value`."""
    text = text.removeprefix("\ufeff")
    if problem := _unreadable(text, file):
        return Document(file, None, {}, (problem,))
    try:
        root = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        return Document(file, None, {}, (_syntax_problem(error, text, file),))
    reading = _Reading(file, text)
    value = reading.value(root, ()) if root is not None else None
    return Document(file, value, reading.lines, tuple(reading.problems))


class _Loader(yaml.CSafeLoader):
    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return _COLLECTIONS[kind is yaml.SequenceNode]
        if not implicit[0]:
            return _STR
        if value in _WORDS:
            return _NULL if _WORDS[value] is None else _BOOL
        if value[0] in "-+.0123456789":
            return _INT if _INTEGER.fullmatch(value) else _FLOAT if _REAL.fullmatch(value) else _STR
        return _STR


@dataclass(slots=True)
class _Reading:
    file: str
    text: str
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, path: Path) -> Plain:
        if path not in self.lines:
            self.lines[path] = node.start_mark.line + 1
        if id(node) in self.seen:
            return self.wrong(path, "aliases are not supported", _ALIAS_HINT, line=self.alias_line())
        self.seen.add(id(node))
        if len(path) > MAX_DEPTH:
            return self.wrong(path[:3], f"is nested more than {MAX_DEPTH} deep")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if node.tag not in _COLLECTIONS:
            return self.wrong(path, "tags are not supported", "quote a text that begins with !")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: Path) -> Plain:
        result: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if key_node.tag != _STR or not isinstance(key, str):
                self.wrong(path, "a key must be text", "quote it", line=line)
            elif key == "<<":
                self.wrong(path, "merge keys (<<) are not supported", _ALIAS_HINT, line=line)
            elif key in result:
                first = self.lines[(*path, key)]
                self.wrong((*path, key), f"is given twice (first in line {first})", line=line)
            else:
                self.lines[(*path, key)] = line
                result[key] = self.value(value_node, (*path, key))
        return result

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Scalar:
        text: str = node.value
        match node.tag:
            case "tag:yaml.org,2002:str":
                return text
            case "tag:yaml.org,2002:null" | "tag:yaml.org,2002:bool" if text in _WORDS:
                return _WORDS[text]
            case "tag:yaml.org,2002:int" if _INTEGER.fullmatch(text):
                return self.integer(text, path)
            case "tag:yaml.org,2002:float" if _REAL.fullmatch(text):
                return self.real(text, path)
        return self.wrong(path, "tags are not supported", "quote a text that begins with !")

    def integer(self, text: str, path: Path) -> int | None:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        number = int(text, base) if len(text) < 25 else 2**64
        if not -(2**63) <= number < 2**63:
            self.wrong(path, "is a number of more than 64 bits", "quote it if it is text")
            return None
        return number

    def real(self, text: str, path: Path) -> float | None:
        number = _real(text)
        if not math.isfinite(number):
            self.wrong(path, "must be a finite number", "quote it if it is text")
            return None
        return number

    def wrong(self, path: Path, message: str, hint: str | None = None, *, line: int | None = None) -> Scalar:
        location = Location(self.file, line or self.lines.get(path, 0))
        self.problems.append(Problem(location, dotted(path), message, hint))
        return None

    def alias_line(self) -> int | None:
        """The node of an alias is the node of its anchor: only the events know where the alias stands."""
        for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent) and event.start_mark:
                return int(event.start_mark.line) + 1
        return None


def _real(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-")
    if digits[1:].lower() in ("inf", "nan"):
        return sign * float(digits[1:])
    return float(text)


def _unreadable(text: str, file: str) -> Problem | None:
    if len(text) > MAX_CHARACTERS:
        return Problem(Location(file), "", f"is longer than {MAX_CHARACTERS} characters")
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        return Problem(Location(file, line), "", f"has a character that text cannot have ({found[0]!a})")
    longest = max(map(len, text.splitlines()), default=0)
    if text.count("[") + text.count("{") + longest > _SAFE_TO_COMPOSE:
        return _too_deep(text, file)
    return None


def _too_deep(text: str, file: str) -> Problem | None:
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH + 1:
                line = event.start_mark.line + 1 if event.start_mark else 0
                return Problem(Location(file, line), "", f"is nested more than {MAX_DEPTH} deep")
    except yaml.YAMLError as error:
        return _syntax_problem(error, text, file)
    return None


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    is_open = getattr(error, "context", None) in _BEGINNINGS
    mark = getattr(error, "context_mark" if is_open else "problem_mark", None)
    reason = str(getattr(error, "problem", None) or "cannot be read").split("\n")[0]
    line = mark.line + 1 if mark else 0
    lines = text.split("\n")
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or (
        "cannot start any token" in reason and "\t" in written
    ):
        return Problem(Location(file, line), "", "a tab cannot indent", "use spaces")
    if text.startswith("<<<<<<< ") or "\n<<<<<<< " in text:
        line = text[: text.index("<<<<<<< ")].count("\n") + 1
        return Problem(Location(file, line), "", "has an unresolved merge conflict", "choose a side")
    if "single document" in str(error):
        return Problem(Location(file, line), "", "has several documents (---)", "one file holds one document")
    if reason == "found unexpected end of stream":
        return Problem(Location(file, line), "", "a quote is never closed", "close it at the end of the text")
    return Problem(Location(file, line), "", f"is not YAML: {reason}", _SYNTAX_HINTS.get(reason))


_BEGINNINGS = (
    "while scanning a simple key",
    "while scanning a quoted scalar",
    "while parsing a flow mapping",
    "while parsing a flow sequence",
)
"""What is not finished is told where it begins, not where its end was missed."""

_SYNTAX_HINTS = {
    "mapping values are not allowed in this context": "check the indentation; quote a text with ': ' in it",
    "could not find expected ':'": "each line of a map is `key: value`",
    "did not find expected key": "check the indentation",
    "did not find expected '-' indicator": "check the indentation",
    "found character that cannot start any token": "quote the text",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the map with }",
    "found undefined alias": _ALIAS_HINT,
}
