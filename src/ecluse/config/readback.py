"""A file of settings → the text of each key, as `formats` wrote it. For values that only a container still has. Pure.

What is not as `formats` writes is passed over: nothing is guessed.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

from ecluse.config.types import written_as
from ecluse.model.service import ContractKey, FileFormat, SettingsFile

_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}

Texts = dict[str, str]


def settings_in(file: SettingsFile, keys: Mapping[str, ContractKey], text: str) -> Texts:
    """Key → what a variable would hold, of the keys of the contract that stand in the text of `file`."""
    try:
        found = _READ[file.format](text, file.section, keys)
    except (ValueError, RecursionError, configparser.Error, ElementTree.ParseError):
        return {}
    return {key: value for key, value in found.items() if key in keys}


def _env(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    return {key: _unquoted(value) for key, sign, value in _lines(text) if sign}


def _lines(text: str) -> list[tuple[str, str, str]]:
    return [line.partition("=") for line in text.split("\n")]


def _unquoted(text: str) -> str:
    if text[:1] == text[-1:] == "'" and len(text) > 1:
        return text[1:-1]
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        return _ESCAPE.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text[1:-1])
    return text


def _properties(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    return {key: _unescaped(value) for key, sign, value in _lines(text) if sign}


def _unescaped(text: str) -> str:
    """Characters beyond the first plane were written as two units of UTF-16."""

    def character(found: re.Match[str]) -> str:
        word = found[1]
        return chr(int(word[1:], 16)) if len(word) > 1 else _LETTERS.get(word, word)

    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")


def _ini(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), strict=False, empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # the names of keys as they are
    parser.read_string(text)
    return dict(parser.items(section)) if parser.has_section(section) else {}


def _xml(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    if "<!" in text:
        # no file of ours declares anything, and what others declare may grow without bound
        return {}
    return {item.tag: item.text or "" for item in ElementTree.fromstring(text)}


def _json(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    found = json.loads(text)
    return _texts(found, keys) if isinstance(found, dict) else {}


def _yaml(text: str, section: str, keys: Mapping[str, ContractKey]) -> Texts:
    lines = [line.partition(": ") for line in text.split("\n") if line and line != "{}"]
    return _texts({key.strip('"'): json.loads(value) for key, _, value in lines}, keys)


def _texts(found: Mapping[str, object], keys: Mapping[str, ContractKey]) -> Texts:
    return {
        key: written_as(keys[key], value)  # type: ignore[arg-type]  # JSON is plain
        for key, value in found.items()
        if key in keys and value is not None
    }


_READ: Mapping[FileFormat, Callable[[str, str, Mapping[str, ContractKey]], Texts]] = {
    "env": _env,
    "properties": _properties,
    "ini": _ini,
    "xml": _xml,
    "json": _json,
    "yaml": _yaml,
}
