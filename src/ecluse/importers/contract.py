"""What can be told of a key from its values alone: the type that writes each of them out the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from ecluse.importers.draft import Flow
from ecluse.importers.keys import escaped
from ecluse.model.service import Plain, ValueType

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{2,5})?(?:/[^\s]*)?")


def type_of(values: Collection[str]) -> ValueType:
    """boolean, integer or url when every value reads back as it was written; else string."""
    if values and all(value in ("true", "false") for value in values):
        return "boolean"
    if values and all(_INTEGER.fullmatch(value) for value in values):
        return "integer"
    if values and all(_URL.fullmatch(value) for value in values):
        return "url"
    return "string"


def native(kind: ValueType, value: str) -> Plain:
    """A value as one writes it in a layer."""
    if kind == "boolean":
        return value == "true"
    return int(value) if kind == "integer" else escaped(value)


def declaration(kind: ValueType, *, secret: bool = False, required: bool = False, **more: Plain) -> Flow:
    """A key of a contract, in one line."""
    entry = Flow()
    if kind != "string":
        entry["type"] = kind
    if secret:
        entry["secret"] = True
    if required:
        entry["required"] = True
    entry.update({name: value for name, value in more.items() if value is not None})
    return entry
