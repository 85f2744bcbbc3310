"""Annotations → the keys of a contract. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ecluse.importers.contract import declaration
from ecluse.importers.draft import Draft, Flow
from ecluse.importers.hesperides.annotations import Property
from ecluse.importers.hesperides.secrecy import Secrets
from ecluse.importers.hesperides.units import Unit
from ecluse.importers.keys import escaped


@dataclass(frozen=True, slots=True)
class Defaults:
    """defaults: name → what the contract says; None where the tags say it, since they differ or stand in items."""

    defaults: Mapping[str, str | None]

    def is_own(self, name: str) -> bool:
        return self.defaults.get(name, "") is None


def told_defaults(unit: Unit, names: Sequence[str], secrets: Secrets) -> Defaults:
    result: dict[str, str | None] = {}
    for name in names:
        if name in secrets.reasons:
            result[name] = ""
            continue
        by_tag = {
            read.model.tag_default(tag)
            for read in unit.read.values()
            for tag, one in read.model.by_tag.items()
            if one.name == name
        }
        is_in_items = any(
            name in fields.names
            for read in unit.read.values()
            for fields in read.model.walk()
            if fields is not read.model
        )
        differs = len(by_tag) > 1 or (is_in_items and by_tag - {""})
        result[name] = None if differs else next(iter(by_tag), "")
    return Defaults(result)


def contract_entry(
    draft: Draft, unit: Unit, name: str, wanted: Collection[str], default: str | None, secrets: Secrets, *,
    is_everywhere: bool,
) -> Flow:  # fmt: skip
    """`wanted`: what the key comes to in each environment."""
    declared = list(_properties(unit, name))
    is_secret = name in secrets.reasons
    is_full = is_everywhere and all(wanted)
    is_required = any(one.required for one in declared)
    if is_required and not is_full:
        what = "is @required, and not every environment gives it: it may be empty here"
        draft.tell("left", f"{unit.service}: {name}", what)
    required = is_required and is_full
    comments = list(dict.fromkeys(one.comment for one in declared if one.comment))
    return declaration(
        "string",
        secret=is_secret,
        required=required,
        default=None if required else escaped(default or ""),
        pattern=_pattern(draft, unit, name, declared, {*wanted, *(() if required else (default or "",))}),
        description="; ".join(comments) or None,
    )


def iterable_entry(*, is_secret: bool) -> Flow:
    return declaration("json", secret=is_secret, default="" if is_secret else [])


def _properties(unit: Unit, name: str) -> Iterator[Property]:
    for read in unit.read.values():
        yield from read.model.names.get(name, ())


def _pattern(
    draft: Draft, unit: Unit, name: str, declared: Sequence[Property], values: Collection[str]
) -> str | None:
    """The pattern, when it means the same here and every value has it: Hesperides checks them on saving only."""
    patterns = list(dict.fromkeys(one.pattern for one in declared if one.pattern))
    if not patterns:
        return None
    where = f"{unit.service}: {name}"
    if len(patterns) > 1:
        draft.tell("left", where, f"has several patterns: {', '.join(patterns)}")
        return None
    try:
        compiled = re.compile(patterns[0])
    except (re.error, RecursionError, OverflowError):
        draft.tell("left", where, f"its pattern {patterns[0]} is none of Python's")
        return None
    if len(patterns[0]) > 200 or re.search(r"[+*}]\)?[+*{]", patterns[0]):
        draft.tell("left", where, f"its pattern {patterns[0]} may take forever")
        return None
    if not all(len(value) < 2000 and compiled.fullmatch(value) for value in values):
        draft.tell("left", where, f"its pattern {patterns[0]} does not fit every value that it has")
        return None
    return patterns[0]
