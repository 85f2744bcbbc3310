"""Names that appear in DNS, in container names and in labels. Parsed once, then trusted."""

from __future__ import annotations

import re
from typing import NewType

ProductName = NewType("ProductName", str)
ServiceName = NewType("ServiceName", str)
EnvironmentName = NewType("EnvironmentName", str)

LONGEST_NAME = 40
RESERVED_NAMES = frozenset({"common", "domains", "services", "environments"})

_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_KEY = re.compile(r"[A-Z][A-Z0-9_]*")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def name_problem(text: str) -> str | None:
    """Why `text` cannot be a name (a DNS label, RFC 1123, of at most 40 characters), or None."""
    if text in RESERVED_NAMES:
        return f"{text} is a reserved name"
    if len(text) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    if not _NAME.fullmatch(text):
        return "a name is made of a-z, 0-9 and -, begins with a letter and ends with a letter or digit"
    return None


def bucket_name(client: str) -> str:
    """What the bucket of a client is called in an S3 store, where a name has at least three characters."""
    return client if len(client) >= 3 else f"{client}-bucket"


def key_problem(text: str) -> str | None:
    """Why `text` cannot be a configuration key (an environment variable's name), or None."""
    return None if _KEY.fullmatch(text) else "a key is made of A-Z, 0-9 and _ and begins with a letter"


def version_problem(text: str) -> str | None:
    """Why `text` cannot be a version (an image tag, OCI distribution specification), or None."""
    if text == "latest":
        return "latest means the newest release: it cannot name one"
    return (
        None
        if _VERSION.fullmatch(text)
        else "a version is an image tag: letters, digits, _ . - (128 at most)"
    )
