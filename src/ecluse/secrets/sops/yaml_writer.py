"""Trees → YAML that go-yaml reads as the same values: four spaces a level, as SOPS writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from ecluse.secrets.sops.scalars import resolve
from ecluse.secrets.sops.tree import BadFile, Branch, Comment, Node, Series, Time, float_text

STEP = 4
_PLAIN = re.compile(r"[A-Za-z0-9_./(+][ -~\u00a0-\u00ff\u0100-\ud7ff]*")
_OLD_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|=|<<")
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\u2028|\u2029"
)


def write_yaml(branches: Sequence[Branch]) -> str:
    return "---\n".join("".join(_document(branch)) for branch in branches)


def _document(branch: Branch) -> Iterator[str]:
    if any(branch.items()):
        yield from _map(branch, 0)
        return
    yield from (f"#{one.text}\n" for one in branch if isinstance(one, Comment))
    yield "{}\n"


def _map(branch: Branch, indent: int) -> Iterator[str]:
    inline: list[str] = []
    pad = " " * indent
    for item in branch:
        if isinstance(item, Comment):
            if item.inline:
                inline.append(item.text)
            else:
                yield f"{pad}#{item.text}\n"
            continue
        yield from _entry(f"{pad}{_scalar(item.key, indent, is_key=True)}:", item.value, indent, inline)
        inline = []
    yield from (f"{pad}#{text}\n" for text in inline)


def _entry(head: str, value: Node, indent: int, inline: Sequence[str]) -> Iterator[str]:
    """A key with its value. Comments at the end of the line stand there when there is one, otherwise above."""
    pad = " " * indent
    if isinstance(value, Branch | Series) and _is_filled(value):
        yield from (f"{pad}#{text}\n" for text in inline)
        yield f"{head}\n"
        inner = indent + STEP
        yield from _map(value, inner) if isinstance(value, Branch) else _sequence(value, inner)
        return
    text = _value(value, indent)
    if len(inline) == 1 and "\n" not in text:
        yield f"{head} {text} #{inline[0]}\n"
        return
    yield from (f"{pad}#{one}\n" for one in inline)
    yield f"{head} {text}\n"


def _sequence(nodes: Series, indent: int) -> Iterator[str]:
    inline: list[str] = []
    pad = " " * indent
    for node in nodes:
        if isinstance(node, Comment):
            if node.inline:
                inline.append(node.text)
            else:
                yield f"{pad}#{node.text}\n"
        elif isinstance(node, Branch | Series) and _is_filled(node):
            yield from (f"{pad}#{text}\n" for text in inline)
            inline = []
            yield from _dashed(node, indent)
        else:
            yield from _entry(f"{pad}-", node, indent, inline)
            inline = []
    yield from (f"{pad}#{text}\n" for text in inline)


def _dashed(node: Branch | Series, indent: int) -> Iterator[str]:
    """A collection in a list: its first line begins with the dash. Comments before it stand above the dash."""
    inner = indent + 2
    first = next(index for index, one in enumerate(node) if not isinstance(one, Comment))
    yield from (f"{' ' * indent}#{one.text}\n" for one in node[:first] if isinstance(one, Comment))
    if isinstance(node, Branch):
        lines = "".join(_map(Branch(node[first:]), inner))
    else:
        lines = "".join(_sequence(Series(node[first:]), inner))
    while lines.startswith(f"{' ' * inner}#"):
        comment, _, lines = lines.partition("\n")
        yield f"{' ' * indent}{comment.strip(' ')}\n"
    yield f"{' ' * indent}- {lines[inner:]}"


def _is_filled(node: Branch | Series) -> bool:
    return any(not isinstance(one, Comment) for one in node)


def _value(value: Node, indent: int) -> str:
    match value:
        case Branch():
            return "{}"
        case Series():
            return "[]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case Time():
            return value.text
    return _scalar(value, indent)


def _float(number: float) -> str:
    if number != number:
        return ".nan"
    if number in (float("inf"), float("-inf")):
        return ".inf" if number > 0 else "-.inf"
    text = float_text(number)
    return text if "." in text else f"{text}.0"


def _scalar(text: str, indent: int, *, is_key: bool = False) -> str:
    if is_key and len(text) > 1000:
        raise BadFile("has a key of more than 1000 characters")
    if _is_plain(text):
        return text
    if not is_key and "\n" in text and _is_literal(text):
        return _literal(text, indent + STEP)
    return _quoted(text)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or _OLD_WORDS.fullmatch(text) or text[-1] in " :":
        return False
    if ": " in text or " #" in text or text.startswith("..."):
        return False
    try:
        return isinstance(resolve(text), str)
    except BadFile:
        return False


def _is_literal(text: str) -> bool:
    lines = text.split("\n")
    return (
        bool(lines[0])
        and lines[0][0] not in " \t#"
        and not text.endswith("\n\n")
        and not _UNPRINTABLE.search(text)
        and not any(line.endswith((" ", "\t")) or line.startswith(("\t", "---", "...")) for line in lines)
    )


def _literal(text: str, indent: int) -> str:
    pad = " " * indent
    mark = "|" if text.endswith("\n") else "|-"
    lines = [f"{pad}{line}" if line else "" for line in text.removesuffix("\n").split("\n")]
    return "\n".join([mark, *lines])


def _quoted(text: str) -> str:
    """Double quotes with the escapes of JSON, which YAML reads as well. Bytes that are no text cannot be written."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadFile("has a text that is not UTF-8, which YAML cannot hold") from None
    shown = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), shown)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
