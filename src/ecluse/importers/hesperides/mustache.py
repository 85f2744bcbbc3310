"""The mustache dialect of Hesperides' templates: text → nodes, and what nodes become. Pure.

The rules are those of mustache.java, with what Hesperides makes of it: the whole text of a tag is the key,
dots are a part of names, nothing is escaped for HTML, sections are lists. A line that holds nothing but the
begin or the end of a section of several lines leaves no trace; one that sets delimiters leaves its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

MAX_DEPTH = 30


class Malformed(Exception):
    """A template that is none; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Tag:
    """`{{text}}`; the text is trimmed."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """`{{#name}}…{{/name}}`, once for each item of a list."""

    name: str
    inside: tuple[Node, ...]


Node = str | Tag | Section


def parse(text: str) -> tuple[Node, ...]:
    """Raises Malformed."""
    return _Parser(text).section(None, 0)


class _Parser:
    """One pass over a text, as mustache.java makes it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.open, self.close = "{{", "}}"

    def section(self, name: str | None, depth: int) -> tuple[Node, ...]:
        if depth > MAX_DEPTH:
            raise Malformed(f"has sections nested more than {MAX_DEPTH} deep", self.line)
        level = _Level(name, depth, follows_section=depth > 0)
        while self.at < len(self.text):
            if self.text[self.at] == "\n":
                self._end_line(level)
            elif not self.text.startswith(self.open, self.at):
                level.add(self.text[self.at])
                self.at += 1
            elif self._is_closed(level):
                return tuple(_joined(level.nodes))
        if name is not None:
            raise Malformed(f"never closes {name}", self.line)
        level.flush()
        return tuple(_joined(level.nodes))

    def _is_closed(self, level: _Level) -> bool:
        """Takes the tag that begins here into the level; whether it closes it."""
        begun = self.line
        command = self._command()
        kind, rest = command[:1], command[1:].strip()
        if kind == "#":
            inner = self._inner(rest, level.depth)
            level.enter(Section(rest, inner), spans=self.line != begun)
        elif kind == "/":
            if rest != level.name:
                raise Malformed(f"closes {rest} where {level.name or 'nothing'} is open", begun)
            if not level.is_blank:
                level.flush()
            return True
        else:
            level.flush()
            if tag := self._tag(command, kind, rest, begun):
                level.nodes.append(tag)
        return False

    def _inner(self, name: str, depth: int) -> tuple[Node, ...]:
        delimiters = self.open, self.close
        inner = self.section(name, depth + 1)
        self.open, self.close = delimiters
        return inner

    def _end_line(self, level: _Level) -> None:
        level.end_line()
        self.line += 1
        self.at += 1

    def _command(self) -> str:
        begin = self.at + len(self.open)
        end = self.text.find(self.close, begin)
        if end < 0:
            raise Malformed("has a tag that is never closed", self.line)
        if self.text[begin : begin + 1] == "{" and self.close == "}}":
            end += self.text.startswith("}", end + 2)
            command = self.text[begin:end].strip()
        else:
            command = self.text[begin:end].strip()
        self.line += self.text.count("\n", self.at, end)
        self.at = end + len(self.close)
        if not command:
            raise Malformed("has an empty tag", self.line)
        return command

    def _tag(self, command: str, kind: str, rest: str, line: int) -> Tag | None:
        match kind:
            case "!" | "%":
                return None
            case "=":
                self._delimiters(command, line)
                return None
            case "&":
                return Tag(rest)
            case "{":
                return Tag(rest.removesuffix("}").strip())
            case "^" | ">" | "<" | "$":
                raise Malformed(f"has a {{{{{kind}…}}}}, which Hesperides does not support", line)
        return Tag(command)

    def _delimiters(self, command: str, line: int) -> None:
        packed = "".join(command.split())
        if not packed.endswith("=") or len(packed) < 4 or len(packed) > 6 or len(packed) % 2:
            raise Malformed("sets delimiters in a way that cannot be", line)
        half = len(packed) // 2
        self.open, self.close = packed[1:half], packed[half:-1]


@dataclass(slots=True)
class _Level:
    """What was read of one section. follows_section: whether this line began with the mark of a section."""

    name: str | None
    depth: int
    follows_section: bool
    nodes: list[Node] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    is_blank: bool = True

    def add(self, character: str) -> None:
        self.is_blank = self.is_blank and character in " \t\r"
        self.out.append(character)

    def flush(self) -> None:
        if self.out:
            self.nodes.append("".join(self.out))
            self.out.clear()

    def enter(self, section: Section, *, spans: bool) -> None:
        if not (spans and self.is_blank):
            self.flush()
        self.out.clear()
        self.nodes.append(section)
        self.follows_section = spans

    def end_line(self) -> None:
        if not (self.follows_section and self.is_blank):
            self.out.append("\n")
        elif self.out and self.out[-1] == "\r":
            self.out.pop()
        self.flush()
        self.follows_section, self.is_blank = False, True


def _joined(nodes: Sequence[Node]) -> Iterator[Node]:
    text: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            text.append(node)
            continue
        if text:
            yield "".join(text)
            text.clear()
        yield node
    if text:
        yield "".join(text)


def tags(nodes: Sequence[Node]) -> Iterator[Tag]:
    """The tags outside of sections."""
    return (node for node in nodes if isinstance(node, Tag))


def sections(nodes: Sequence[Node]) -> Iterator[Section]:
    return (node for node in nodes if isinstance(node, Section))


def filled(nodes: Sequence[Node], value: Callable[[str], str]) -> str:
    """The text with each tag replaced; sections come to nothing."""
    pieces = []
    for node in nodes:
        if isinstance(node, str):
            pieces.append(node)
        elif isinstance(node, Tag):
            pieces.append(value(node.text))
    return "".join(pieces)
