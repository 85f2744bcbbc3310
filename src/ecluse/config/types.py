"""The types of configuration keys: which values fit, and how each is written out. Messages hold no value.

As a variable: `true`, decimal numbers, lists joined by commas, json as compact JSON, the rest as it is.
In json and yaml files: the native value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from ecluse.config.quantity import parse_duration, parse_size
from ecluse.errors import nearest
from ecluse.model.service import ContractKey, Plain, Scalar, ValueType

if TYPE_CHECKING:
    import regex

PATTERN_SECONDS = 1.0
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+")
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?\d{1,18}(\.\d{1,18})?")


class Unfit(Exception):
    """A value that does not fit its key; says what it must be, never what it is."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Accept(Protocol):
    def __call__(self, key: ContractKey, data: Plain, *, is_literal: bool) -> Plain: ...


def accept(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    """`data` as a native value of the key's type.

    A literal must have been written as that type; what a reference or a secret brought may be its text.
    """
    native = _ACCEPT[key.type](key, data, is_literal=is_literal)
    if key.pattern is not None and not _matches(key.pattern, written(native)):
        raise Unfit(f"must match {key.pattern}")
    return native


def _matches(pattern: str, text: str) -> bool:
    """A pattern may need time that grows without bound (`(a|aa)*b`): it has a limit."""
    try:
        return bool(_compiled(pattern).fullmatch(text, timeout=PATTERN_SECONDS, concurrent=True))
    except TimeoutError:
        message = f"cannot be compared with {pattern} within {PATTERN_SECONDS:g} s"
        raise Unfit(message, "write a pattern without repetitions inside of repetitions") from None


def written(native: Plain) -> str:
    """The text of a native value in a variable."""
    match native:
        case str():
            return native
        case bool():
            return "true" if native else "false"
        case float():
            return format(Decimal(repr(native)), "f")
        case list() if all(not isinstance(item, list | dict) for item in native):
            return ",".join(map(written, native))
        case list() | dict() | None:
            return json.dumps(native, ensure_ascii=False, separators=(",", ":"))
    return str(native)


def written_as(key: ContractKey, native: Plain) -> str:
    if key.type == "json":
        return json.dumps(native, ensure_ascii=False, separators=(",", ":"))
    return written(native)


def is_url(text: str) -> bool:
    try:
        return bool(_URL.fullmatch(text)) and urlsplit(text).port != 0
    except ValueError:
        return False


def is_email(text: str) -> bool:
    return bool(_EMAIL.fullmatch(text))


def pattern_problem(pattern: str) -> str | None:
    """The language of patterns is that of Python's `re`; the `regex` library reads it, and knows a time limit."""
    import regex

    try:
        re.compile(pattern)
        _compiled(pattern)
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        return f"is not a regular expression: {error}"
    return None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> regex.Pattern[str]:
    import regex

    return regex.compile(pattern)


def _string(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if isinstance(data, str):
        return _without_nul(data)
    if is_literal and isinstance(data, int | float):
        raise Unfit("must be text", "quote it")
    if isinstance(data, list | dict) or data is None:
        raise Unfit("must be text", "give the key `type: list` or `type: json` in the contract")
    return written(data)


def _integer(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    if isinstance(data, str) and not is_literal and _INTEGER.fullmatch(data):
        return int(data)
    raise Unfit("must be an integer", _unquote(data, _INTEGER))


def _number(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if isinstance(data, int | float) and not isinstance(data, bool):
        return data
    if isinstance(data, str) and not is_literal and _NUMBER.fullmatch(data):
        return float(data) if "." in data else int(data)
    raise Unfit("must be a number", _unquote(data, _NUMBER))


def _boolean(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if isinstance(data, bool):
        return data
    if data in ("true", "false") and not is_literal:
        return data == "true"
    if data in ("true", "false"):
        raise Unfit("must be true or false", "remove the quotes")
    raise Unfit("must be true or false", "yes, no, on and off are texts" if isinstance(data, str) else None)


def _url(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if not (isinstance(data, str) and is_url(data)):
        hint = "null removes the value" if data == "" else None
        raise Unfit("must be a URL like https://example.fr/path", hint)
    return data


def _email(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if not (isinstance(data, str) and _EMAIL.fullmatch(data)):
        raise Unfit("must be an e-mail address")
    return data


def _quantity(parse: Callable[[object], float]) -> Accept:
    def accept_quantity(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
        try:
            parse(data)
        except ValueError as error:
            raise Unfit(str(error)) from None
        return data

    return accept_quantity


def _choice(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if data not in key.choices:
        close = nearest(data, key.choices) if isinstance(data, str) and not key.secret else None
        hint = close if close and close.startswith("did") else None
        raise Unfit(f"must be one of {', '.join(key.choices)}", hint)
    return data


def _list(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if isinstance(data, str) and not is_literal:
        return [item.strip() for item in data.split(",")] if data.strip() else []
    if not isinstance(data, list):
        raise Unfit("must be a list")
    for item in data:
        if isinstance(item, list | dict) or item is None:
            raise Unfit("must be a list of texts and numbers", "structures need `type: json`")
        if "," in written(item):
            raise Unfit("an item has a comma, which separates items", "give the key `type: json`")
    return data


def _json(key: ContractKey, data: Plain, *, is_literal: bool) -> Plain:
    if key.secret and isinstance(data, str) and not is_literal:
        try:
            parsed: Plain = json.loads(data)
        except (ValueError, RecursionError):
            raise Unfit("must be JSON") from None
        return parsed
    return data


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise Unfit("must not have a NUL character")
    return text


def _unquote(data: Scalar | Plain, pattern: re.Pattern[str]) -> str | None:
    return "remove the quotes" if isinstance(data, str) and pattern.fullmatch(data) else None


_ACCEPT: Mapping[ValueType, Accept] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "url": _url,
    "email": _email,
    "duration": _quantity(parse_duration),
    "size": _quantity(parse_size),
    "choice": _choice,
    "list": _list,
    "json": _json,
}
