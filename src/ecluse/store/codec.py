"""Model values as JSON text and back. Stored JSON outlives a version: fields are only ever added."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

Value = TypeVar("Value")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(kind: type[Value], value: Value) -> str:
    return _adapter(cast(Any, kind)).dump_json(value).decode()


def load(kind: type[Value], text: str) -> Value:
    value: Value = _adapter(cast(Any, kind)).validate_json(text)
    return value
