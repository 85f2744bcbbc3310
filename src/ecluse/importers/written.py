"""Plain values as YAML text that reads back the same, and what an import adds to files that exist. Pure."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecluse.errors import ConfigInvalid, Location, Problem
from ecluse.importers.draft import Draft, Entry, Flow
from ecluse.model.service import Plain

_SAFE = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PATH_SEPARATOR = " > "


def yaml_text(value: Mapping[str, Plain]) -> str:
    """A whole file."""
    return "".join(_block(value, 0))


def _block(value: Mapping[str, Plain], depth: int) -> list[str]:
    lines = []
    for key, item in value.items():
        lead = "  " * depth + _scalar(key) + ":"
        if isinstance(item, dict) and item and not isinstance(item, Flow):
            lines += [lead + "\n", *_block(item, depth + 1)]
        elif isinstance(item, list) and item and all(isinstance(one, dict) for one in item):
            lines += [lead + "\n", *(f"{'  ' * depth}  - {_inline(one)}\n" for one in item)]
        else:
            lines.append(f"{lead} {_inline(item)}\n")
    return lines


def _inline(value: Plain) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _scalar(value)


def _scalar(value: Plain) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _SAFE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


@dataclass(slots=True)
class Merged:
    """What writing a draft comes to.

    files: path → new text, of those that change. written: path → the keys that this import answers for
    (no key for a whole file), as the record keeps them.
    """

    files: dict[str, str] = field(default_factory=dict)
    written: dict[str, list[str]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def keep(self, where: str, what: str) -> None:
        self.entries.append(Entry("kept", where, what))


def merged(
    draft: Draft,
    read: Callable[[str], str | None],
    before: Mapping[str, Collection[str]],
    *,
    overwrite: bool,
) -> Merged:
    """Adds what is missing. What is there and differs is kept and told, unless `overwrite`; so is what was
    written `before` and was removed since. Raises ConfigInvalid for a file that is not YAML."""
    result = Merged()
    for path, text in draft.texts.items():
        _merge_text(result, path, text, read(path), before, overwrite=overwrite)
    for path, value in draft.maps.items():
        _merge_map(result, path, value, read(path), before.get(path, ()), overwrite=overwrite)
    return result


def _merge_text(
    result: Merged, path: str, text: str, there: str | None, before: Mapping[str, Collection[str]], *,
    overwrite: bool,
) -> None:  # fmt: skip
    result.written[path] = []
    if there == text:
        return
    if there is None and path in before and not overwrite:
        result.keep(path, "was removed since it was imported, and stays so")
    elif there is not None and not overwrite:
        result.keep(path, "differs from the source; --overwrite replaces it")
    else:
        result.files[path] = text
        if there is not None:
            result.entries.append(Entry("changed", path, "replaced, as --overwrite says"))


def _merge_map(
    result: Merged, path: str, value: Mapping[str, Plain], there: str | None, before: Collection[str], *,
    overwrite: bool,
) -> None:  # fmt: skip
    result.written[path] = [_PATH_SEPARATOR.join(keys) for keys in _leaves(value)]
    if there is None:
        if before and not overwrite:
            result.keep(path, "was removed since it was imported, and stays so")
        else:
            result.files[path] = yaml_text(value)
        return
    document = _loaded(path, there)
    changed = False
    for keys in _leaves(value):
        wanted: Any = value
        for key in keys:
            wanted = wanted[key]
        changed |= _set(document, keys, wanted, result, path, before, overwrite=overwrite)
    if changed:
        stream = io.StringIO()
        _yaml().dump(document, stream)
        result.files[path] = stream.getvalue()


def _leaves(value: Mapping[str, Plain], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, item in value.items():
        if isinstance(item, dict) and item and not isinstance(item, Flow):
            found += _leaves(item, (*above, key))
        else:
            found.append((*above, key))
    return found


def _set(
    document: Any, keys: tuple[str, ...], wanted: Plain, result: Merged, path: str, before: Collection[str], *,
    overwrite: bool,
) -> bool:  # fmt: skip
    name = ".".join(keys)
    at = document
    for key in keys[:-1]:
        inner = at.get(key)
        if inner is None:
            at[key] = inner = _commented({})
        if not isinstance(inner, dict):
            result.keep(f"{path}: {name}", f"{key} is no map there")
            return False
        at = inner
    last = keys[-1]
    if last not in at:
        if _PATH_SEPARATOR.join(keys) in before and not overwrite:
            result.keep(f"{path}: {name}", "was removed since it was imported, and stays so")
            return False
        at[last] = _commented(wanted)
        return True
    if _plain(at[last]) == wanted:
        return False
    if not overwrite:
        result.keep(f"{path}: {name}", "differs from the source; --overwrite replaces it")
        return False
    at[last] = _commented(wanted)
    result.entries.append(Entry("changed", f"{path}: {name}", "replaced, as --overwrite says"))
    return True


def _plain(value: Any) -> Plain:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or value is None:
        return value
    return int(value) if isinstance(value, int) else float(value)


def _commented(value: Plain) -> Any:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        made = CommentedMap((_commented(key), _commented(item)) for key, item in value.items())
        if isinstance(value, Flow):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        return [_commented(item) for item in value]
    if isinstance(value, str) and _scalar(value) != value:
        return DoubleQuotedScalarString(value)
    return value


def _loaded(path: str, text: str) -> Any:
    from ruamel.yaml.error import YAMLError

    try:
        document = _yaml().load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = Location(path, mark.line + 1 if mark else 0)
        raise ConfigInvalid([Problem(where, "", "is not YAML", "mend it, then import again")]) from None
    if document is None:
        return _commented({})
    if not isinstance(document, dict):
        raise ConfigInvalid([Problem(Location(path, 1), "", "must be a map")])
    return document


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
