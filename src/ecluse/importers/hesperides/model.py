"""What the templates of a module declare: its properties, with the default of each tag. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ecluse.importers.hesperides.annotations import BadAnnotation, Property, declared
from ecluse.importers.hesperides.dump import Template
from ecluse.importers.hesperides.mustache import Malformed, Node, Section, Tag, parse, sections, tags


class BadTemplate(Exception):
    """A template that cannot be read: which one, and where."""

    def __init__(self, template: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.template, self.line = template, line


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template with its three texts as nodes."""

    template: Template
    content: tuple[Node, ...]
    filename: tuple[Node, ...]
    location: tuple[Node, ...]


@dataclass(slots=True)
class Fields:
    """The properties of one level: of a module, or of the items of an iterable.

    by_tag: tag text → its property, after those with the same name and comment were merged.
    names: name → its properties, in the order of the templates.
    """

    by_tag: dict[str, Property] = field(default_factory=dict)
    names: dict[str, list[Property]] = field(default_factory=dict)
    iterables: dict[str, Fields] = field(default_factory=dict)

    def default(self, name: str) -> str | None:
        """The default of a name, as values that refer to it see it: that of its first property."""
        found = self.names.get(name)
        return found[0].default if found else None

    def tag_default(self, tag: str) -> str:
        """What a tag comes to without a value: its default; that of the name, for a tag that is just the name."""
        declared = self.by_tag.get(tag)
        if declared and declared.default:
            return declared.default
        return (self.default(tag) or "") if declared is None or declared.name == tag else ""

    def is_password(self, name: str) -> bool:
        return any(one.password for one in self.names.get(name, ()))

    def walk(self) -> Iterator[Fields]:
        yield self
        for inner in self.iterables.values():
            yield from inner.walk()


def parsed(templates: Iterable[Template]) -> tuple[Parsed, ...]:
    """Raises BadTemplate."""
    return tuple(
        Parsed(one, *(_nodes(one, text) for text in (one.content, one.filename, one.location)))
        for one in templates
    )


def model(templates: Sequence[Parsed]) -> Fields:
    """Raises BadTemplate."""
    fields = Fields()
    for one in templates:
        for nodes in (one.filename, one.location, one.content):
            try:
                _collect(fields, nodes, is_merged=True)
            except BadAnnotation as error:
                raise BadTemplate(one.template.name, str(error)) from None
    return fields


def _nodes(template: Template, text: str) -> tuple[Node, ...]:
    try:
        return parse(text)
    except Malformed as error:
        raise BadTemplate(template.name, str(error), error.line) from None


def _collect(fields: Fields, nodes: Sequence[Node], *, is_merged: bool) -> None:
    """Within iterables, tags of the same name keep their own defaults."""
    for tag in tags(nodes):
        _enter(fields, tag, is_merged=is_merged)
    for section in sections(nodes):
        _collect(fields.iterables.setdefault(section.name, Fields()), section.inside, is_merged=False)


def _enter(fields: Fields, tag: Tag, *, is_merged: bool) -> None:
    new = declared(tag.text)
    same = fields.names.setdefault(new.name, [])
    twin = next((one for one in same if is_merged and one.comment == new.comment), None)
    if twin is None:
        if tag.text not in fields.by_tag:
            same.append(new)
            fields.by_tag[tag.text] = new
        return
    both = replace(
        twin,
        required=twin.required or new.required,
        password=twin.password or new.password,
        default=twin.default or new.default,
        pattern=twin.pattern or new.pattern,
    )
    same[same.index(twin)] = both
    for text, one in list(fields.by_tag.items()):
        if one == twin:
            fields.by_tag[text] = both
    fields.by_tag[tag.text] = both


def used_sections(nodes: Sequence[Node]) -> Iterator[Section]:
    """Every section, outer ones first."""
    for section in sections(nodes):
        yield section
        yield from used_sections(section.inside)


def default_in_items(tag: Tag, levels: Sequence[Fields]) -> str:
    """What a tag inside of items comes to when nobody gives a value: its own default, or that of the same text
    around it. `levels`: from the module inwards; the last one is the tag's."""
    defaults = (level.tag_default(tag.text) for level in reversed(levels))
    return next((default for default in defaults if default), "")
