"""What a file says of itself under `sops`: who can open it, which values are encrypted, its MAC (stores/stores.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ecluse.secrets.sops.moments import parse_moment, parse_seconds
from ecluse.secrets.sops.tree import BadFile, Branch, Item, Node, Series, float_text
from ecluse.secrets.sops.walk import SELECTORS, Selector

VERSION = "3.13.2"
"""The version of the format that we write."""

KEY = "sops"
FOREIGN = ("kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp")
NAMES: Mapping[str, str] = {
    "kms": "arn", "gcp_kms": "resource_id", "hckms": "key_id", "azure_kv": "name", "hc_vault": "key_name",
    "pgp": "fp",
}  # fmt: skip
"""Kinds of keys that only the `sops` program opens, and what a key of each is called by."""

_NUMBER = "(?:0|[1-9][0-9]*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True)
class AgeKey:
    """A recipient, and the data key encrypted for it (an armoured age file)."""

    recipient: str
    enc: str


@dataclass(slots=True)
class Group:
    """Keys of which any one opens the group. foreign: kind → entries, kept as they were read."""

    age: list[AgeKey] = field(default_factory=list)
    foreign: dict[str, Series] = field(default_factory=dict)

    def names(self) -> Iterator[str]:
        """Who can open it: age recipients as they are, others as `kind name`."""
        yield from (key.recipient for key in self.age)
        for kind, entries in self.foreign.items():
            for entry in entries:
                found = entry.find(NAMES[kind]) if isinstance(entry, Branch) else None
                yield f"{kind} {found.value if found else ''}".strip()


@dataclass(slots=True)
class Metadata:
    """`groups`: one, or several of which `threshold` are needed (Shamir)."""

    groups: list[Group]
    lastmodified: str
    mac: str
    selector: Selector = field(default_factory=Selector)
    mac_only_encrypted: bool = False
    version: str = VERSION
    threshold: int = 0

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for group in self.groups for name in group.names()))

    @property
    def is_split(self) -> bool:
        return len(self.groups) > 1


def read_metadata(branch: Branch) -> Metadata:
    """BadFile when it cannot be used."""
    given = _fields(branch)
    moment = parse_seconds(_text(given, "lastmodified"))
    if moment is None:
        raise BadFile("its metadata has no moment of the last change")
    return Metadata(
        groups=_groups(given),
        lastmodified=moment,
        mac=_text(given, "mac"),
        selector=_selector(given),
        mac_only_encrypted=_flag(given.get("mac_only_encrypted"), "mac_only_encrypted"),
        version=_version(_text(given, "version")),
        threshold=_threshold(given.get("shamir_threshold")),
    )


def metadata_branch(metadata: Metadata) -> Branch:
    """As SOPS writes it: keys sorted, without what is empty."""
    fields: dict[str, Node] = {
        "lastmodified": metadata.lastmodified,
        "mac": metadata.mac,
        metadata.selector.kind: metadata.selector.text,
        "version": metadata.version,
    }
    if metadata.mac_only_encrypted:
        fields["mac_only_encrypted"] = True
    if metadata.threshold:
        fields["shamir_threshold"] = metadata.threshold
    if metadata.is_split:
        fields["key_groups"] = Series(_sorted(_group_fields(group)) for group in metadata.groups)
    elif metadata.groups:
        fields |= _group_fields(metadata.groups[0])
    return _sorted(fields)


def _group_fields(group: Group) -> dict[str, Node]:
    fields: dict[str, Node] = {kind: Series(entries) for kind, entries in group.foreign.items()}
    if group.age:
        keys = ({"enc": key.enc, "recipient": key.recipient} for key in group.age)
        fields["age"] = Series(map(_sorted, keys))
    return fields


def _sorted(fields: Mapping[str, Node]) -> Branch:
    return Branch(Item(key, fields[key]) for key in sorted(fields))


def _fields(branch: Branch) -> dict[str, Node]:
    """Names in any case, as the SOPS of Go reads them; the exact name wins."""
    given = {item.key.lower(): item.value for item in branch.items()}
    return given | {item.key: item.value for item in branch.items()}


def _groups(given: Mapping[str, Node]) -> list[Group]:
    group = _group(given)
    if group.age or group.foreign:
        return [group]
    groups = [
        _group(_fields(entry)) for entry in _entries(given.get("key_groups")) if isinstance(entry, Branch)
    ]
    if not groups:
        raise BadFile("its metadata names nobody who can open it")
    return groups


def _group(given: Mapping[str, Node]) -> Group:
    age = []
    for entry in _entries(given.get("age")):
        if not isinstance(entry, Branch):
            raise BadFile("its metadata has an age key that is no map")
        fields = _fields(entry)
        age.append(AgeKey(_text(fields, "recipient"), _text(fields, "enc")))
    foreign = {}
    for kind in FOREIGN:
        if entries := list(_entries(given.get(kind))):
            foreign[kind] = Series(_foreign(entry, kind) for entry in entries)
    return Group(age, foreign)


def _foreign(entry: Node, kind: str) -> Branch:
    if not isinstance(entry, Branch):
        raise BadFile(f"its metadata has a key of {kind} that is no map")
    created = entry.find("created_at")
    if created is None or not isinstance(created.value, str) or not parse_moment(created.value):
        raise BadFile(f"its metadata has a key of {kind} without the moment of its creation")
    return entry


def _entries(value: Node) -> Iterator[Node]:
    """A list; one thing stands for a list of one."""
    if isinstance(value, Branch):
        if any(value.items()):
            yield value
    elif isinstance(value, Series):
        yield from value.values()
    elif value is not None and value != "":
        yield value


def _text(given: Mapping[str, Node], name: str) -> str:
    value = given.get(name)
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case str() | int():
            return str(value)
        case float():
            return float_text(value)
    raise BadFile(f"its metadata has a {name} that is no text")


def _selector(given: Mapping[str, Node]) -> Selector:
    found = [Selector(kind, text) for kind in SELECTORS if (text := _text(given, kind))]
    if len(found) > 1:
        raise BadFile(f"its metadata has both {found[0].kind} and {found[1].kind}")
    return found[0] if found else Selector()


def _flag(value: Node, name: str) -> bool:
    match value:
        case None | "" | "0" | "f" | "F" | "false" | "FALSE" | "False":
            return False
        case "1" | "t" | "T" | "true" | "TRUE" | "True":
            return True
        case bool() | int() | float():
            return bool(value)
    raise BadFile(f"its metadata has a {name} that is neither true nor false")


def _version(text: str) -> str:
    if not (text.startswith("1.") or _VERSION.fullmatch(text.removeprefix("v"))):
        raise BadFile("its metadata has no version of SOPS")
    return text


def _threshold(value: Node) -> int:
    try:
        return int(value) if isinstance(value, str | int | float) else 0
    except ValueError:
        raise BadFile("its metadata has a shamir_threshold that is no number") from None
