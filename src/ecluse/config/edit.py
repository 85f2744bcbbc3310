"""Changes one value in the text of a YAML file, and nothing else of it: comments, order, quotes and spaces stay.

Pure. The text is cut at the marks of the parser; the result is read again and must say what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from ecluse.config.document import read_document
from ecluse.errors import EcluseError
from ecluse.model.service import Plain

_PLAIN = re.compile(
    r"[A-Za-z/_][A-Za-z0-9/_.@%+=~$-]*(?:[ :][A-Za-z0-9/_.@%+=~$-]+)*|\d{1,9}(?:m|s|h|d|ms|[KMGT]i?|k)"
)
_WORDS = re.compile(r"(?i:true|false|yes|no|on|off|y|n|null)")
"""What a reader of YAML 1.1 takes for something else than a text."""
_INDENT = 2


def with_value(text: str, path: Sequence[str], value: Plain, *, file: str) -> str:
    """`text` with `value` at `path`; what is missing on the way is added at the end of its map."""
    root = _compose(text, file)
    node, depth = _deepest(root, path)
    if depth == len(path):
        edited = _replaced(text, root, path, value)
    elif isinstance(node, yaml.MappingNode):
        edited = _inserted(text, node, path[depth:], value, step=_step(root))
    elif node is None or node.value == "":
        edited = _begun(text, root, path, depth, value)
    else:
        raise _uneditable(file)
    return _verified(text, edited, _set(_value(text, file), path, value), file)


def without(text: str, path: Sequence[str], *, file: str) -> str:
    """`text` without the value at `path`, and without the maps that are empty then."""
    root = _compose(text, file)
    while len(path) > 1 and len(_entries(_mapping_at(root, path[:-1]))) == 1:
        path = path[:-1]
    mapping = _mapping_at(root, path[:-1])
    edited = (_cut_flow if mapping.flow_style else _cut_block)(text, mapping, path[-1])
    return _verified(text, edited, _unset(_value(text, file), path), file)


def scalar_text(value: Plain, *, like: str | None = None) -> str:
    """A value on one line. `like`: the quote of what was there, kept for a text."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{scalar_text(key)}: {scalar_text(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(scalar_text, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if like == "'" and _is_printable(value):
        return "'" + value.replace("'", "''") + "'"
    if like is None and _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    return _double_quoted(value)


def _is_printable(text: str) -> bool:
    return all(" " <= character <= "~" or character >= "\xa0" for character in text)


def _double_quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        character
        if _is_printable(character) and character not in "\ufeff\u2028\u2029"
        else f"\\u{ord(character):04x}"
        for character in quoted
    )


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        raise _uneditable(file) from None


def _deepest(root: yaml.Node | None, path: Sequence[str]) -> tuple[yaml.Node | None, int]:
    """The last node on the way that is there, and how many names lead to it."""
    node, depth = root, 0
    while depth < len(path) and isinstance(node, yaml.MappingNode):
        entry = _entries(node).get(path[depth])
        if entry is None:
            return node, depth
        node, depth = entry.value, depth + 1
    return node, depth


@dataclass(frozen=True, slots=True)
class _Entry:
    key: yaml.Node
    value: yaml.Node


def _entries(node: yaml.MappingNode) -> dict[str, _Entry]:
    return {key.value: _Entry(key, value) for key, value in node.value}


def _mapping_at(root: yaml.Node | None, path: Sequence[str]) -> yaml.MappingNode:
    node, depth = _deepest(root, path)
    if depth < len(path) or not isinstance(node, yaml.MappingNode):
        raise KeyError(".".join(path))
    return node


def _entry_at(root: yaml.Node | None, path: Sequence[str]) -> _Entry:
    return _entries(_mapping_at(root, path[:-1]))[path[-1]]


def _replaced(text: str, root: yaml.Node | None, path: Sequence[str], value: Plain) -> str:
    entry = _entry_at(root, path)
    node, old = entry.value, entry.value.start_mark.index
    style = getattr(node, "style", None)
    words = scalar_text(value, like=style if style in ("'", '"') else None)
    if isinstance(node, yaml.ScalarNode) and style not in ("|", ">") and node.end_mark.index > old:
        return text[:old] + words + text[node.end_mark.index :]
    if getattr(node, "flow_style", False):
        return text[:old] + words + text[node.end_mark.index :]
    colon = text.index(":", entry.key.end_mark.index) + 1
    return f"{text[:colon]} {words}{text[_end(text, node) :]}"


def _inserted(text: str, node: yaml.MappingNode, path: Sequence[str], value: Plain, *, step: int) -> str:
    if node.flow_style:
        words = f"{scalar_text(path[0])}: {scalar_text(_nested(path[1:], value))}"
        if not node.value:
            at = node.end_mark.index - 1
            return text[:at].rstrip() + words + text[at:]
        at = _end(text, node.value[-1][1])
        return f"{text[:at]}, {words}{text[at:]}"
    column = node.value[0][0].start_mark.column
    at = _line_end(text, _end(text, node.value[-1][1]))
    return text[:at] + _newline(text) + _block(text, path, value, column, step) + text[at:]


def _begun(text: str, root: yaml.Node | None, path: Sequence[str], depth: int, value: Plain) -> str:
    """The first value of an empty file, or of a key that has none."""
    if depth == 0:
        before = text if not text or text.endswith("\n") else text + _newline(text)
        return before + _block(text, path, value, 0, _INDENT) + _newline(text)
    entry = _entry_at(root, path[:depth])
    column = entry.key.start_mark.column + _step(root)
    at = _line_end(text, entry.key.end_mark.index)
    return text[:at] + _newline(text) + _block(text, path[depth:], value, column, _step(root)) + text[at:]


def _block(text: str, path: Sequence[str], value: Plain, column: int, step: int) -> str:
    lines = [f"{' ' * (column + step * level)}{scalar_text(name)}:" for level, name in enumerate(path)]
    return _newline(text).join([*lines[:-1], f"{lines[-1]} {scalar_text(value)}"])


def _cut_block(text: str, mapping: yaml.MappingNode, name: str) -> str:
    entry = _entries(mapping)[name]
    start = text.rfind("\n", 0, entry.key.start_mark.index) + 1
    end = _line_end(text, _end(text, entry.value) if _end(text, entry.value) else entry.key.end_mark.index)
    after = text.find("\n", end) + 1
    return text[:start] + (text[after:] if after else "")


def _cut_flow(text: str, mapping: yaml.MappingNode, name: str) -> str:
    keys = [key.value for key, _ in mapping.value]
    at = keys.index(name)
    key, value = mapping.value[at]
    if at + 1 < len(keys):
        return text[: key.start_mark.index] + text[mapping.value[at + 1][0].start_mark.index :]
    start = _end(text, mapping.value[at - 1][1]) if at else key.start_mark.index
    return text[:start] + text[_end(text, value) :]


def _end(text: str, node: yaml.Node) -> int:
    """Behind the last character that a node really has: the parser's mark may be lines below."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start = int(node.start_mark.index)
    return start + len(text[start : node.end_mark.index].rstrip())


def _line_end(text: str, at: int) -> int:
    """Where the line of `at` ends, its comment included."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if end and text[end - 1 : end] == "\r" else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _step(root: yaml.Node | None) -> int:
    """How deep the file indents."""
    steps = (
        inner.value[0][0].start_mark.column - outer.value[0][0].start_mark.column
        for outer, inner in _nestings(root)
    )
    return next((step for step in steps if step > 0), _INDENT)


def _nestings(node: yaml.Node | None) -> Iterator[tuple[yaml.MappingNode, yaml.MappingNode]]:
    for _, value in node.value if isinstance(node, yaml.MappingNode) and not node.flow_style else ():
        if isinstance(node, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            if value.value and not value.flow_style:
                yield node, value
            yield from _nestings(value)


def _nested(path: Sequence[str], value: Plain) -> Plain:
    for name in reversed(path):
        value = {name: value}
    return value


def _value(text: str, file: str) -> Plain:
    return read_document(text, file).value


def _set(data: Plain, path: Sequence[str], value: Plain) -> Plain:
    if not path:
        return value
    result = dict(data) if isinstance(data, dict) else {}
    result[path[0]] = _set(result.get(path[0]), path[1:], value)
    return result


def _unset(data: Plain, path: Sequence[str]) -> Plain:
    result = dict(data) if isinstance(data, dict) else {}
    if len(path) > 1:
        result[path[0]] = _unset(result[path[0]], path[1:])
    else:
        del result[path[0]]
    return result


def _verified(before: str, edited: str, wanted: Plain, file: str) -> str:
    document = read_document(edited, file)
    comments = [line for line in before.splitlines() if line.lstrip().startswith("#")]
    is_kept = all(line in edited.splitlines() for line in comments)
    if document.problems or (document.value or {}) != wanted or not is_kept:
        raise _uneditable(file)
    return edited


def _uneditable(file: str) -> EcluseError:
    return EcluseError(
        f"{file} is written in a way that cannot be edited here", hint="edit it by hand, then check"
    )
