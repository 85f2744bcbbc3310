"""`.sops.yaml`: which recipients and which selector a new file gets (config/config.go of SOPS). Pure.

The first rule of `creation_rules` whose `path_regex` is found in the path, relative to the folder of the file, counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ecluse.secrets.sops.patterns import BadPattern, go_pattern, matches
from ecluse.secrets.sops.tree import BadFile
from ecluse.secrets.sops.walk import SELECTORS, Selector

FILE = ".sops.yaml"
_OTHER_KEYS = ("pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault_transit_uri")
_GROUP_KEYS = ("pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault")


@dataclass(frozen=True, slots=True)
class Rule:
    """age: recipients. others: keys that only the `sops` program knows, as `kind`. is_split: Shamir groups."""

    path_regex: str
    age: tuple[str, ...]
    others: tuple[str, ...] = ()
    is_split: bool = False
    selector: Selector | None = None
    mac_only_encrypted: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether a file under this rule can be written without the `sops` program."""
        return not self.others and not self.is_split

    def speaks_of(self, path: str) -> bool:
        return not self.path_regex or matches(self.path_regex, path)


def read_rules(text: str) -> tuple[Rule, ...]:
    """BadFile says what is wrong."""
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadFile(f"is not YAML (line {mark.line + 1})" if mark else "is not YAML") from None
    rules = document.get("creation_rules") if isinstance(document, dict) else None
    if rules is None:
        return ()
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise BadFile("creation_rules is no list of maps")
    return tuple(_rule(rule) for rule in rules)


def rule_for(rules: Sequence[Rule], path: str) -> Rule | None:
    """`path` is relative to the folder of .sops.yaml."""
    return next((rule for rule in rules if rule.speaks_of(path)), None)


def _rule(given: Mapping[str, Any]) -> Rule:
    groups = given.get("key_groups") or []
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise BadFile("key_groups is no list of maps")
    if groups:
        age = tuple(name for group in groups for name in _group_age(group))
        others = tuple(kind for kind in _GROUP_KEYS if any(_group_has(group, kind) for group in groups))
    else:
        age = tuple(_listed(given.get("age"), "age"))
        others = tuple(kind for kind in _OTHER_KEYS if given.get(kind))
    return Rule(
        path_regex=_pattern(given.get("path_regex")),
        age=tuple(dict.fromkeys(age)),
        others=others,
        is_split=len(groups) > 1,
        selector=_selector(given),
        mac_only_encrypted=bool(given.get("mac_only_encrypted")),
    )


def _pattern(given: object) -> str:
    pattern = str(given or "")
    try:
        go_pattern(pattern)
    except BadPattern:
        raise BadFile(f"path_regex is no pattern: {pattern}") from None
    return pattern


def _group_age(group: Mapping[str, Any]) -> Iterator[str]:
    for inner in group.get("merge") or ():
        yield from _group_age(inner)
    yield from _listed(group.get("age"), "age")


def _group_has(group: Mapping[str, Any], kind: str) -> bool:
    return bool(group.get(kind)) or any(_group_has(inner, kind) for inner in group.get("merge") or ())


def _listed(value: object, name: str) -> Iterator[str]:
    """A list, or texts joined by commas."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        parts = [part for one in value for part in one.split(",")]
    elif isinstance(value, str):
        parts = value.split(",")
    elif value is None:
        parts = []
    else:
        raise BadFile(f"{name} is neither a text nor a list of texts")
    yield from (part.strip() for part in parts if part.strip())


def _selector(given: Mapping[str, Any]) -> Selector | None:
    found = [Selector(kind, str(given[kind])) for kind in SELECTORS if given.get(kind)]
    if len(found) > 1:
        raise BadFile(f"a rule has both {found[0].kind} and {found[1].kind}")
    return found[0] if found else None
