"""A service's settings as one file, in the format that its program reads. Pure.

json, yaml: native values. The others hold the text that a variable would hold:

env         one line a key: bare when no reader could see more in it; else quoted so that a shell and the common
            dotenv libraries read the same, wherever the two agree. A newline is `\\n`.
properties  java.util.Properties (Java SE, `load`): ASCII, the rest as \\uXXXX
ini         one section, for readers without interpolation (Python's RawConfigParser); there is no quoting in INI
xml         XML 1.0: `<settings>` with one element a key
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from ecluse.config.types import written_as
from ecluse.model.service import ContractKey, FileFormat, Plain

_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "`": "\\`", "\n": "\\n", "\r": "\\r"})
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROPERTY = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"} | {mark: f"\\{mark}" for mark in "\\=:#!"}
_YAML_WORDS = frozenset({"Y", "N", "YES", "NO", "ON", "OFF", "TRUE", "FALSE", "NULL"})
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
"""A parser turns a bare carriage return into a newline (XML 1.0, section 2.11)."""
_TEMPLATE_HINT = "write this file with a template under `files:`, or in another format"

Texts = Mapping[str, str]


class Unwritable(Exception):
    """A value that a format cannot hold; says why, never what it is."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key} {message}")
        self.key = key
        self.message = message
        self.hint = _TEMPLATE_HINT


def settings_text(
    form: FileFormat,
    keys: Mapping[str, ContractKey],
    values: Mapping[str, Plain],
    *,
    section: str = "settings",
) -> str:
    """The keys that have a value, in the order of the contract; Unwritable. `section`: of an INI file."""
    match form:
        case "json":
            return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
        case "yaml":
            lines = [
                f"{_yaml_key(key)}: {json.dumps(value, ensure_ascii=False)}\n"
                for key, value in values.items()
            ]
            return "".join(lines) or "{}\n"
        case "ini":
            texts = {key: written_as(keys[key], value) for key, value in values.items()}
            return f"[{section}]\n" + "".join(_ini(texts))
    return "".join(_WRITE[form]({key: written_as(keys[key], value) for key, value in values.items()}))


def _yaml_key(key: str) -> str:
    """Readers of YAML 1.1 take some names for a boolean or nothing."""
    return f'"{key}"' if key in _YAML_WORDS else key


def env_quoted(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    if not {"'", "\n", "\r"} & set(text) and not _is_single_quote_unsure(text):
        return f"'{text}'"
    return f'"{text.translate(_ESCAPED)}"'


def _is_single_quote_unsure(text: str) -> bool:
    """Backslashes that dotenv libraries read in single quotes and shells do not; `$` and backtick are worse."""
    return ("\\\\" in text or text.endswith("\\")) and not {"$", "`"} & set(text)


def _env(texts: Texts) -> Iterator[str]:
    return (f"{key}={env_quoted(text)}\n" for key, text in texts.items())


def _properties(texts: Texts) -> Iterator[str]:
    return (f"{key}={property_escaped(text)}\n" for key, text in texts.items())


def property_escaped(text: str) -> str:
    """A value of java.util.Properties: spaces count, so the first one is escaped."""
    escaped = "".join(map(_property_character, text))
    return f"\\{escaped}" if text.startswith(" ") else escaped


def _property_character(character: str) -> str:
    if character in _PROPERTY:
        return _PROPERTY[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _ini(texts: Texts) -> Iterator[str]:
    for key, text in texts.items():
        lines = text.split("\n")
        if "\r" in text or any(line != line.strip() for line in lines):
            raise Unwritable(key, "begins or ends with white space, which an INI file cannot hold")
        if any(line.startswith(("#", ";")) for line in lines[1:]) or (len(lines) > 1 and "" in lines):
            raise Unwritable(key, "has an empty line or a line that INI takes for a comment")
        yield (f"{key} = " if text else f"{key} =") + "\n    ".join(lines) + "\n"


def _xml(texts: Texts) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<settings>\n'
    for key, text in texts.items():
        if _NOT_IN_XML.search(text):
            raise Unwritable(key, "has a character that XML cannot hold")
        yield f"  <{key}>{text.translate(_MARKUP)}</{key}>\n"
    yield "</settings>\n"


_WRITE: Mapping[FileFormat, Callable[[Texts], Iterator[str]]] = {
    "env": _env,
    "properties": _properties,
    "xml": _xml,
}
