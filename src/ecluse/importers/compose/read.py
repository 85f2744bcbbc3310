"""A Compose file's text → plain values, with its variables replaced as Compose does. Pure.

Scalars stay the texts that were written; only nulls are told apart. Anchors and merge keys (<<) are followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from ecluse.errors import ConfigInvalid, Location, Problem
from ecluse.importers.recognise import secret_reason
from ecluse.importers.variables import Expander, Unexpandable

MAX_CHARACTERS = 1_048_576
MAX_VALUES = 50_000
MAX_DEPTH = 40
_NULL = re.compile(r"~|null|Null|NULL|")
_KEY = re.compile(r"[\w\[\]-]{0,64}|<<")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value = str | None | list["Value"] | dict[str, "Value"]


@dataclass(slots=True)
class ComposeFile:
    """value: the whole file. unset: variables that were empty for want of a value. used: all of them.

    lines: dotted path → line.
    """

    value: dict[str, Value]
    lines: dict[str, int] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


def read_compose(text: str, file: str, variables: Mapping[str, str]) -> ComposeFile:
    """Raises ConfigInvalid with the line of what is wrong."""
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise _invalid(file, 0, f"is longer than {MAX_CHARACTERS} characters")
    if found := _UNPRINTABLE.search(text):
        raise _invalid(file, text.count("\n", 0, found.start()) + 1, "has a character that text cannot have")
    _refuse_depth(text, file)
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or "cannot be read")
        raise _invalid(file, mark.line + 1 if mark else 0, f"is not YAML: {reason}") from None
    reading = _Reading(file, Expander(variables.get, strict=True))
    value = reading.value(node, "", 0) if node is not None else None
    if reading.problems:
        raise ConfigInvalid(reading.problems)
    if not isinstance(value, dict):
        raise _invalid(file, 1, "must be a map with services")
    return ComposeFile(value, reading.lines, reading.expander.unset, reading.expander.used)


def _invalid(file: str, line: int, message: str) -> ConfigInvalid:
    return ConfigInvalid([Problem(Location(file, line), "", message)])


def _refuse_depth(text: str, file: str) -> None:
    """Before anything is composed: the composer recurses."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _invalid(
                    file, event.start_mark.line + 1 if event.start_mark else 0, "is nested too deep"
                )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or "cannot be read")
        raise _invalid(file, mark.line + 1 if mark else 0, f"is not YAML: {reason}") from None


@dataclass(slots=True)
class _Reading:
    file: str
    expander: Expander
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def value(self, node: yaml.Node, path: str, depth: int) -> Value:
        self.count += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            if not self.problems:
                self.wrong(node, "", "grows too large through its anchors")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(node.value)]
        return self.scalar(node, path)

    def scalar(self, node: yaml.Node, path: str) -> str | None:
        if not getattr(node, "style", None) and _NULL.fullmatch(node.value):
            return None
        try:
            return self.expander.expand(str(node.value))
        except Unexpandable as error:
            self.wrong(node, path, str(error))
            return None

    def mapping(self, node: yaml.MappingNode, path: str, depth: int) -> Value:
        result: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.wrong(key_node, path, "has a key that is no text")
                continue
            key = str(key_node.value)
            value = self.value(value_node, f"{path}.{key}".lstrip("."), depth + 1)
            if key == "<<":
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, dict):
                        merged = {**one, **merged}
            elif key in result:
                self.wrong(key_node, f"{path}.{key}".lstrip("."), "is given twice")
            else:
                result[key] = value
        return {**merged, **result}

    def wrong(self, node: yaml.Node, path: str, message: str) -> None:
        where = Location(self.file, node.start_mark.line + 1)
        self.problems.append(Problem(where, shown(path), message))


def shown(path: str) -> str:
    """A dotted path as it may be told: a slip (`PASSWORD=x: `) makes a key of what was meant as a value."""
    return ".".join(part if _is_name(part) else "…" for part in path.split("."))


def _is_name(part: str) -> bool:
    return bool(_KEY.fullmatch(part)) and secret_reason("", part) is None


def texts(value: Value) -> list[str]:
    """A text or a list of texts, as a list."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def pairs(value: Value) -> dict[str, str | None]:
    """`{A: 1}` or `[A=1, B]`; None for a name without a value."""
    if isinstance(value, dict):
        return {name: one if isinstance(one, str) else None for name, one in value.items()}
    result: dict[str, str | None] = {}
    for one in texts(value):
        name, separator, text = one.partition("=")
        result[name] = text if separator else None
    return result
