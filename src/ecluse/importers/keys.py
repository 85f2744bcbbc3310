"""Names of other tools → names of ours: keys of a contract, services, environments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ecluse.model.names import LONGEST_NAME, RESERVED_NAMES, key_problem, name_problem


def contract_key(text: str) -> str:
    """The nearest key: `db.maxPool-size` becomes DB_MAX_POOL_SIZE."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    key = re.sub(r"[^A-Z0-9]+", "_", split.upper()).strip("_")
    if not key:
        return "KEY"
    return key if key[0].isalpha() else f"KEY_{key}"


def contract_keys(names: Iterable[str]) -> dict[str, str]:
    """A key for each name, no two the same: one that is written as its key has the first claim on it."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names), key=lambda name: (key_problem(name) is not None, name)):
        key = wanted = name if key_problem(name) is None else contract_key(name)
        number = 2
        while key in taken:
            key = f"{wanted}_{number}"
            number += 1
        taken.add(key)
        result[name] = key
    return result


def plain_name(text: str) -> str:
    """The nearest name of a service or an environment: `Facturation_V2` becomes facturation-v2."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    name = re.sub(r"^[^a-z]+", "", name) or "unnamed"
    name = name[:LONGEST_NAME].strip("-")
    if name in RESERVED_NAMES or name_problem(name):
        name = f"the-{name}"[:LONGEST_NAME].strip("-")
    return name


def plain_names(texts: Iterable[str]) -> dict[str, str]:
    """A name for each text, no two the same."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for text in sorted(set(texts), key=lambda text: (text != plain_name(text), text)):
        name = wanted = plain_name(text)
        number = 2
        while name in taken:
            name = f"{wanted[: LONGEST_NAME - 3]}-{number}"
            number += 1
        taken.add(name)
        result[text] = name
    return result


def escaped(text: str) -> str:
    """A text that is meant as it stands, where `${…}` would be a reference."""
    return text.replace("${", "$${")
