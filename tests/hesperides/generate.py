"""Generates files as the notes on Hesperides describe it: passes over all values, then one over the template.

Written from the notes alone; nothing here comes from the importer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

PASSES = 10
MASK = "********"


class GoesRound(Exception):
    """More than ten passes."""


@dataclass
class Token:
    kind: str  # text, tag, open, close
    text: str


def tokens(template: str) -> list[Token]:
    left, right = "{{", "}}"
    found: list[Token] = []
    at = 0
    while True:
        start = template.find(left, at)
        if start < 0:
            found.append(Token("text", template[at:]))
            return alone(found)
        if template.startswith("{{{", start) and left == "{{":
            end = template.index("}}}", start)
            found += [Token("text", template[at:start]), Token("tag", template[start + 3 : end].strip())]
            at = end + 3
            continue
        end = template.index(right, start + len(left))
        found.append(Token("text", template[at:start]))
        inside = template[start + len(left) : end].strip()
        at = end + len(right)
        if inside.startswith("="):
            left, right = inside.strip("=").split()
        elif inside.startswith("#"):
            found.append(Token("open", inside[1:].strip()))
        elif inside.startswith("/"):
            found.append(Token("close", inside[1:].strip()))
        elif not inside.startswith("!"):
            found.append(Token("tag", inside.removeprefix("&").strip()))


def alone(found: list[Token]) -> list[Token]:
    """Without the lines that hold nothing but one mark of a section of several lines."""
    marks = [index for index, token in enumerate(found) if token.kind in ("open", "close")]
    lonely = []
    for index in marks:
        before, after = found[index - 1].text, found[index + 1].text
        starts = re.search(r"(^|\n)[ \t]*\Z", before) and (index == 1 or "\n" in before)
        ends = re.match(r"[ \t]*\r?\n", after) or (index == len(found) - 2 and not after.strip())
        if starts and ends and spans_lines(found, index):
            lonely.append(index)
    for index in lonely:
        found[index - 1].text = re.sub(r"[ \t]*\Z", "", found[index - 1].text)
        found[index + 1].text = re.sub(r"^[ \t]*(\r?\n)?", "", found[index + 1].text)
    return found


def spans_lines(found: list[Token], index: int) -> bool:
    step, depth, seen = (1, 0, "") if found[index].kind == "open" else (-1, 0, "")
    at = index
    while True:
        token = found[at]
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        if depth == 0:
            return "\n" in seen
        seen += token.text if token.kind == "text" else ""
        at += step


def render(template: str, scopes: list[dict[str, Any]]) -> str:
    return "".join(_render(tokens(template), [0], scopes))


def _render(found: list[Token], at: list[int], scopes: list[dict[str, Any]]) -> list[str]:
    out = []
    while at[0] < len(found):
        token = found[at[0]]
        at[0] += 1
        if token.kind == "text":
            out.append(token.text)
        elif token.kind == "tag":
            value = next((scope[token.text] for scope in reversed(scopes) if token.text in scope), "")
            out.append(value if isinstance(value, str) else "")
        elif token.kind == "close":
            return out
        else:
            begin = at[0]
            items = next((scope[token.text] for scope in reversed(scopes) if token.text in scope), [])
            for item in items if isinstance(items, list) else []:
                at[0] = begin
                out += _render(found, at, [*scopes, item])
            at[0] = begin
            _render(found, at, [*scopes, {}])
    return out


@dataclass
class Prop:
    tag: str
    name: str
    comment: str
    default: str | None
    password: bool


@dataclass
class Level:
    props: list[Prop] = field(default_factory=list)
    inner: dict[str, Level] = field(default_factory=dict)

    def named(self, name: str) -> list[Prop]:
        return [prop for prop in self.props if prop.name == name]


def prop(tag: str) -> Prop:
    name, _, rest = tag.partition("|")
    words = re.split(r"(?i)(?:^|\s)@(required|comment|default|pattern|password)\b", f" {rest}")
    comment, default, password = words[0].strip(), None, False
    for kind, text in zip(words[1::2], words[2::2], strict=True):
        quoted = re.match(r"""\s*(["'])((?:\\.|(?!\1).)*)\1""", text)
        value = re.sub(r"\\(.)", r"\1", quoted[2]) if quoted else (text.split() or [""])[0]
        if kind.lower() == "default":
            default = value
        elif kind.lower() == "comment":
            comment = value
        password |= kind.lower() == "password"
    return Prop(tag, name.strip(), comment, default, password)


def model(templates: list[dict[str, Any]]) -> Level:
    top = Level()
    for template in templates:
        for part in ("filename", "location", "content"):
            levels = [top]
            for token in tokens(template[part]):
                if token.kind == "open":
                    levels.append(levels[-1].inner.setdefault(token.text, Level()))
                elif token.kind == "close":
                    levels.pop()
                elif token.kind == "tag":
                    levels[-1].props.append(prop(token.text))
    for one in top.props:
        same = [other for other in top.named(one.name) if other.comment == one.comment]
        one.default = next((other.default for other in same if other.default), None)
        one.password = any(other.password for other in same)
    return top


def instance_model(level: Level, globals_: dict[str, str], module: dict[str, Any]) -> set[str]:
    simple = {name: value for name, value in module.items() if isinstance(value, str)}
    known = {*globals_, *simple, *(one.name for one in level.props)}
    pairs = [*globals_.items(), *simple.items(), *_inside(module)]
    return {
        name
        for owner, text in pairs
        for name in re.findall(r"\{\{\s*(.*?)\s*\}\}", text)
        if name not in known or name == owner
    }


def _inside(module: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for value in module.values():
        for item in value if isinstance(value, list) else []:
            found += [(name, one) for name, one in item.items() if isinstance(one, str)]
            found += _inside({name: one for name, one in item.items() if isinstance(one, list)})
    return found


def scope(level: Level, values: dict[str, Any]) -> dict[str, Any]:
    """Tag texts and names to values; blank ones give way to defaults."""
    result: dict[str, Any] = {}
    for one in level.props:
        value = values.get(one.name, "")
        text = value if isinstance(value, str) and value.strip() else one.default
        if text is not None:
            result[one.tag] = text
    for name, value in values.items():
        if isinstance(value, str):
            first = level.named(name)[0].default if level.named(name) else None
            text = value if value.strip() else first
            if text is not None:
                result.setdefault(name, text)
    for one in level.props:
        if one.default is not None and one is level.named(one.name)[0]:
            result.setdefault(one.name, one.default)
    return result


def valued(
    level: Level,
    globals_: dict[str, str],
    module: dict[str, Any],
    instance: dict[str, str],
    predefined: dict[str, str],
) -> dict[str, Any]:
    """Every value after the passes."""
    names = {one.name for one in level.props}
    allowed = instance_model(level, globals_, module)
    instance = {name: value for name, value in instance.items() if name in allowed}
    simple = {name: value for name, value in module.items() if isinstance(value, str) and name in names}
    without_globals = {**simple, **instance, **predefined}
    current: dict[str, Any] = {**without_globals, **globals_}
    extra = {name: value for name, value in module.items() if isinstance(value, str) and name not in names}
    lists = {name: value for name, value in module.items() if isinstance(value, list) and name in level.inner}

    def replaced(text: str) -> str:
        if "}}" not in text:
            return text
        text = render(text, [scope(level, {**extra, **current})])
        if "}}" in text:
            # a global that refers to its own name asks what is below it
            text = render(text, [scope(level, {**extra, **current, **instance, **predefined})])
        return text

    for _ in range(PASSES + 1):
        after = {name: replaced(value) for name, value in current.items()}
        lists_after = {name: [_each(item, replaced) for item in items] for name, items in lists.items()}
        if after == current and lists_after == lists:
            break
        current, lists = after, lists_after
    else:
        raise GoesRound
    erase = lambda text: re.sub(r"\{\{[^}]*\}\}", "", text)  # noqa: E731
    current = {name: erase(value) for name, value in current.items()}
    lists = {name: [_each(item, erase) for item in items] for name, items in lists.items()}
    return {**current, **lists}


def _each(item: dict[str, Any], change: Any) -> dict[str, Any]:
    return {
        name: [_each(inner, change) for inner in value] if isinstance(value, list) else change(value)
        for name, value in item.items()
    }


def handed_down(level: Level, values: dict[str, Any]) -> dict[str, Any]:
    """The scope of a level: its items see the values around them where they have none."""
    result = scope(level, values)
    around = {name: value for name, value in values.items() if isinstance(value, str) and value.strip()}
    for name, inner in level.inner.items():
        items = values.get(name, [])
        result[name] = [
            handed_down(inner, {**around, **known(inner, item)})
            for item in (items if isinstance(items, list) else [])
        ]
    return result


def known(level: Level, item: dict[str, Any]) -> dict[str, Any]:
    """What an item gives: fields of its model that are not blank."""
    return {
        name: value
        for name, value in item.items()
        if isinstance(value, list) or (value.strip() and level.named(name))
    }


def generate(text: str, level: Level, values: dict[str, Any]) -> str:
    return render(text, [handed_down(level, values)])
