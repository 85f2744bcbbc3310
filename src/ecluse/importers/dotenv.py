"""A `.env` file → its variables, as Docker Compose reads it
(docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "Env file"). Pure.

`KEY=value` or `KEY: value`, `export` before it; bare values are trimmed and end at ` #`; double quotes know
`\\n`, `\\r`, `\\t`, `\\"`, `\\\\`, `\\$`; single quotes are literal but for `\\'`; quoted values may have several
lines. Variables are replaced in bare and double-quoted values, from the lines above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ecluse.errors import Location, Problem
from ecluse.importers.variables import Expander, Unexpandable

MAX_CHARACTERS = 1_048_576
_KEY = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.\[\]-]+)[ \t]*")
_COMMENT = re.compile(r"[ \t]#.*")
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    '"': '"',
    "\\": "\\",
    "'": "'",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}
_LITERAL_DOLLAR = "\ue000"
"""Stands for `\\$` while variables are replaced: a character of the private use area."""


@dataclass(slots=True)
class EnvFile:
    """values: in the order of the file, the last of each name. lines: where each stands.

    inherited: names without a value, which are taken from the caller's environment. doubles: names that were
    given before, in vain. unset: variables that no line above gives, by the name that asks for them.
    """

    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    inherited: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    unset: dict[str, set[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_env(text: str, file: str, known: Mapping[str, str] | None = None) -> EnvFile:
    """Never raises: what is wrong is in `problems`. `known`: variables that are set before the first line."""
    result = EnvFile()
    if len(text) > MAX_CHARACTERS:
        result.problems.append(Problem(Location(file), "", f"is longer than {MAX_CHARACTERS} characters"))
        return result
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        result.problems.append(Problem(Location(file, line), "", "has a NUL character"))
        return result
    _Reading(text, file, result, known or {}).everything()
    return result


@dataclass(slots=True)
class _Reading:
    text: str
    file: str
    result: EnvFile
    known: Mapping[str, str]
    at: int = 0
    line: int = 1

    def everything(self) -> None:
        while self.at < len(self.text):
            end = self._end_of_line(self.at)
            line = self.text[self.at : end]
            if line.strip() and not line.lstrip().startswith("#"):
                self.at += len(line) - len(line.lstrip())
                self.assignment(end)
            else:
                self.move_to(end + 1)

    def assignment(self, end: int) -> None:
        found = _KEY.match(self.text, self.at, end)
        if not found:
            self.wrong("", "is not a line of the form KEY=value")
            return self.move_to(end + 1)
        name, rest = found[1], self.text[found.end() : end]
        if rest[:1] not in ("=", ":"):
            if not rest or rest.startswith("#"):
                self.result.inherited.append(name)
            else:
                self.wrong(name, "is not followed by =")
            return self.move_to(end + 1)
        begin = found.end() + 1
        begin += len(self.text[begin:end]) - len(self.text[begin:end].lstrip(" \t"))
        if self.text[begin : begin + 1] in ('"', "'"):
            return self.quoted(name, begin)
        self.give(name, _COMMENT.sub("", self.text[begin:end]).strip(), is_expanded=True)
        self.move_to(end + 1)

    def quoted(self, name: str, begin: int) -> None:
        quote = self.text[begin]
        pieces, at = [], begin + 1
        while at < len(self.text) and self.text[at] != quote:
            if self.text[at] == "\\" and at + 1 < len(self.text):
                pieces.append(_escape(self.text[at + 1], quote))
                at += 2
            else:
                pieces.append(self.text[at])
                at += 1
        if at >= len(self.text):
            self.wrong(name, "has a quote that is never closed")
            return self.move_to(self._end_of_line(begin) + 1)
        end = self._end_of_line(at)
        if (rest := self.text[at + 1 : end].strip()) and not rest.startswith("#"):
            self.wrong(name, "has something after the closing quote")
        else:
            self.give(name, "".join(pieces), is_expanded=quote == '"')
        self.move_to(end + 1)

    def give(self, name: str, value: str, *, is_expanded: bool) -> None:
        if is_expanded:
            expander = Expander(lambda other: self.result.values.get(other, self.known.get(other)))
            try:
                value = expander.expand(value).replace(_LITERAL_DOLLAR, "$")
            except Unexpandable as error:
                return self.wrong(name, str(error))
            if expander.unset:
                self.result.unset[name] = expander.unset
        if name in self.result.values:
            self.result.doubles.append(name)
            del self.result.values[name]
        self.result.values[name] = value
        self.result.lines[name] = self.line

    def wrong(self, name: str, message: str) -> None:
        self.result.problems.append(Problem(Location(self.file, self.line), name, message))

    def move_to(self, at: int) -> None:
        self.line += self.text.count("\n", self.at, at)
        self.at = at

    def _end_of_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end


def _escape(character: str, quote: str) -> str:
    if quote == "'":
        return "'" if character == "'" else "\\" + character
    if character == "$":
        return _LITERAL_DOLLAR
    return _ESCAPES.get(character, "\\" + character)
