"""Modules in platforms → services in environments: what becomes one service, and its name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ecluse.importers.hesperides.dump import Deployed, Dump, ModuleKey, Platform
from ecluse.importers.hesperides.model import Fields, Parsed, model, parsed
from ecluse.importers.hesperides.valuation import Valuation
from ecluse.importers.keys import plain_names

INSTANCE_NAME = "hesperides.instance.name"
NO_INSTANCE = "default"


@dataclass(frozen=True, slots=True)
class Read:
    """A module whose templates were read."""

    templates: tuple[Parsed, ...]
    model: Fields


@dataclass(slots=True)
class Unit:
    """One service. instance: the one that it is, where instances differ; else None.

    seen: environment → the module there, and what it comes to. names: those that its files depend on, once known.
    """

    service: str
    label: str
    instance: str | None
    seen: dict[str, Valuation] = field(default_factory=dict)
    read: dict[str, Read] = field(default_factory=dict)
    instances: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: list[str] | None = None


Identity = Callable[[Deployed], tuple[str, ...]]
_IDENTITIES: Sequence[Identity] = (
    lambda one: (one.key.name,),
    lambda one: (one.key.name, one.path),
    lambda one: (one.key.name, one.path, one.key.version, one.key.kind),
)


def read_modules(dump: Dump) -> dict[ModuleKey, Read]:
    """Raises BadTemplate."""
    result = {}
    for key, templates in dump.modules.items():
        found = parsed(templates)
        result[key] = Read(found, model(found))
    return result


def units(
    dump: Dump, modules: Mapping[ModuleKey, Read], environments: Mapping[str, str], prefix: str
) -> list[Unit]:
    """A service for each module; for each place of it where one platform has several; for each instance where
    their values differ. `environments`: platform → environment."""
    platforms = [one for one in dump.platforms if one.name in environments]
    groups: dict[tuple[str, ...], dict[str, Deployed]] = {}
    for platform in platforms:
        for one in platform.modules:
            identity = _identity(one.key.name, platforms)(one)
            groups.setdefault(identity, {})[platform.name] = one
    labels: dict[tuple[tuple[str, ...], str | None], str] = {}
    for identity, places in groups.items():
        for instance in _instances(places, platforms, modules):
            words = [prefix, identity[0], *(part.strip("#") for part in identity[1:]), instance or ""]
            labels[identity, instance] = "-".join(word for word in words if word)
    names = plain_names(labels.values())
    return [
        _unit(dump, names[label], instance, groups[identity], platforms, modules, environments)
        for (identity, instance), label in labels.items()
    ]


def _identity(name: str, platforms: Sequence[Platform]) -> Identity:
    """The shortest one by which no platform has the module twice."""
    for identity in _IDENTITIES:
        found = [
            [identity(one) for one in platform.modules if one.key.name == name] for platform in platforms
        ]
        if all(len(set(ones)) == len(ones) for ones in found):
            return identity
    return _IDENTITIES[-1]


def _instances(
    places: Mapping[str, Deployed], platforms: Sequence[Platform], modules: Mapping[ModuleKey, Read]
) -> list[str | None]:
    """None where all instances are alike, or there is one at most."""
    names: dict[str, str] = {}
    for one in places.values():
        for instance in one.instances:
            names.setdefault(instance.lower(), instance)
    if len(names) < 2 or not any(
        _depends(platform, places[platform.name], modules)
        for platform in platforms
        if platform.name in places
    ):
        return [None]
    return list(names.values())


def _depends(platform: Platform, one: Deployed, modules: Mapping[ModuleKey, Read]) -> bool:
    """Whether the values of instances reach a file."""
    read = modules[one.key]
    seen = Valuation(platform, one, read.model, "", "")
    given = {name for values in one.instances.values() for name in values}
    is_named = any(INSTANCE_NAME in fields.names for fields in read.model.walk()) or any(
        INSTANCE_NAME in text for text in _texts(platform, one)
    )
    return is_named or bool(given & seen.instance_model)


def _texts(platform: Platform, one: Deployed) -> Iterator[str]:
    yield from platform.globals.simple.values()
    yield from one.values.simple.values()
    for items in one.values.iterables.values():
        for item in items:
            yield str(item)


def _unit(
    dump: Dump, service: str, instance: str | None, places: Mapping[str, Deployed], platforms: Sequence[Platform],
    modules: Mapping[ModuleKey, Read], environments: Mapping[str, str],
) -> Unit:  # fmt: skip
    first = next(iter(places.values()))
    unit = Unit(service, f"{first.key.name} at {first.path or '#'}", instance)
    for platform in platforms:
        if one := places.get(platform.name):
            environment = environments[platform.name]
            only = next(iter(one.instances), NO_INSTANCE)
            unit.seen[environment] = Valuation(
                platform, one, modules[one.key].model, instance or only, dump.application
            )
            unit.read[environment] = modules[one.key]
            unit.instances[environment] = tuple(one.instances)
    return unit
