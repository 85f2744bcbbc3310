"""What a plain scalar of YAML is to go-yaml v3, which SOPS reads with (go-yaml/yaml resolve.go).

It differs from YAML 1.1 (`yes` is a text) and from 1.2 (`010` is eight, dates are times): the MAC of a file is over
these values.
"""

from __future__ import annotations

import base64
import binascii
import re

from ecluse.secrets.sops.moments import parse_timestamp
from ecluse.secrets.sops.tree import BadFile, Leaf, Time, to_text

PREFIX = "tag:yaml.org,2002:"
PLAIN = "?"
STR = PREFIX + "str"
_WORDS: dict[str, Leaf | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"),
    "+.inf": float("inf"), "+.Inf": float("inf"), "+.INF": float("inf"),
    "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
}  # fmt: skip
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINTED = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?")
_INTEGERS = (
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]([0-7]+)"), 8),
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
)
_RESOLVED = frozenset(PREFIX + name for name in ("bool", "int", "float", "null", "timestamp"))


def resolve(text: str) -> Leaf | None:
    """The value of a plain scalar. BadFile for an integer that SOPS cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        return float(text) if _POINTED.fullmatch(text) else text
    if first not in "+-0123456789":
        return text
    moment = parse_timestamp(text)
    if moment is not None:
        return Time(moment)
    number = _number(text.replace("_", ""))
    return text if number is None else number


def tagged(tag: str, text: str) -> Leaf | None:
    """The value of a scalar with a tag of its own. What does not fit its tag is nothing, as SOPS has it."""
    if tag == PREFIX + "binary":
        try:
            return to_text(base64.b64decode("".join(text.split()), validate=True))
        except (ValueError, binascii.Error):
            return None
    if tag not in _RESOLVED:
        return text
    value = resolve(text)
    kind = tag.removeprefix(PREFIX)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if _kind(value) == kind else None


def _number(text: str) -> int | float | None:
    for pattern, base in _INTEGERS:
        if found := pattern.fullmatch(text):
            return _bounded(int(found[1] + found[2], base), text)
    return _finite(text) if _FLOAT.fullmatch(text) else None


def _bounded(number: int, text: str) -> int | float | None:
    if -(2**63) <= number < 2**63:
        return number
    if 0 <= number < 2**64:
        raise BadFile("has an integer of more than 63 bits, which SOPS cannot hold")
    return _finite(text) if _FLOAT.fullmatch(text) else None


def _finite(text: str) -> float | None:
    number = float(text)
    return None if number in (float("inf"), float("-inf")) else number


def _kind(value: Leaf | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case Time():
            return "timestamp"
    return "str"
