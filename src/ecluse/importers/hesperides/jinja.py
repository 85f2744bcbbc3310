"""Nodes of a template of Hesperides → a template of ours that makes the same text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecluse.importers.hesperides.model import Fields, default_in_items
from ecluse.importers.hesperides.mustache import Node, Section, Tag

_SPECIAL = re.compile(r"\{\{|\{%|\{#|\r|\{\Z")


@dataclass(frozen=True, slots=True)
class Naming:
    """key: name → key of the contract. parent: whether an item without a value sees the module's.

    own_default: whether the contract does not say the default of a name, so that each tag does.
    """

    key: Callable[[str], str]
    is_parent: Callable[[str], bool]
    own_default: Callable[[str], bool]


def jinja(nodes: Sequence[Node], fields: Fields, naming: Naming) -> str:
    """The template. `fields`: the model that the nodes were read into."""
    return "".join(_node(node, _next(nodes, index), [fields], naming) for index, node in enumerate(nodes))


def _next(nodes: Sequence[Node], index: int) -> bool:
    """Whether a tag follows: a brace just before it would be read with it."""
    return index + 1 < len(nodes)


def _node(node: Node, is_followed: bool, levels: list[Fields], naming: Naming) -> str:  # noqa: FBT001
    if isinstance(node, str):
        return _text(node, is_followed=is_followed)
    return _tag(node, levels, naming) if isinstance(node, Tag) else _section(node, levels, naming)


def _text(text: str, *, is_followed: bool) -> str:
    def escape(found: re.Match[str]) -> str:
        if found[0] == "{" and not is_followed:
            return "{"
        return f"{{{{ {_quoted(found[0])} }}}}"

    return _SPECIAL.sub(escape, text)


def _tag(tag: Tag, levels: list[Fields], naming: Naming) -> str:
    declared = levels[-1].by_tag[tag.text]
    name = declared.name
    if len(levels) == 1:
        default = levels[0].tag_default(tag.text)
        if not naming.own_default(name) or not default:
            return f"{{{{ {naming.key(name)} }}}}"
        return f"{{{{ {naming.key(name)} or {_quoted(default)} }}}}"
    options = [
        f"{_item(depth)}.get({_quoted(name)})"
        for depth in range(len(levels) - 1, 0, -1)
        if name in levels[depth].names
    ]
    if naming.is_parent(name):
        options.append(naming.key(name))
    options.append(_quoted(default_in_items(tag, levels)))
    return f"{{{{ {' or '.join(options)} }}}}"


def _section(section: Section, levels: list[Fields], naming: Naming) -> str:
    fields = levels[-1].iterables[section.name]
    depth = len(levels)
    items = (
        naming.key(f"#{section.name}")
        if depth == 1
        else f"{_item(depth - 1)}.get({_quoted(section.name)}) or []"
    )
    inside = "".join(
        _node(node, _next(section.inside, index) or True, [*levels, fields], naming)
        for index, node in enumerate(section.inside)
    )
    return f"{{% for {_item(depth)} in {items} %}}{inside}{{% endfor %}}"


def _item(depth: int) -> str:
    return "item" if depth == 1 else f"item{depth}"


def _quoted(text: str) -> str:
    """A text of Jinja's."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'
