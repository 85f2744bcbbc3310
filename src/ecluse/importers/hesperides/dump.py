"""What was read from a Hesperides: an application with its platforms and modules, and their JSON. Pure.

The JSON of a saved dump holds the documents of the REST interface as they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecluse.errors import ConfigInvalid, Location, Problem

FORMAT = 1
MASK = "********"
GLOBAL_PATH = "#"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an iterable property."""

    title: str
    values: Mapping[str, str]
    iterables: Mapping[str, tuple[Item, ...]]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a module in a platform, or of a platform (then they are global)."""

    simple: Mapping[str, str] = field(default_factory=dict)
    iterables: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """One file that is generated. rights: octal, None where nothing is said. source: the techno, or the module."""

    name: str
    filename: str
    location: str
    content: str
    rights: int | None
    source: str


@dataclass(frozen=True, slots=True, order=True)
class ModuleKey:
    name: str
    version: str
    working_copy: bool

    def __str__(self) -> str:
        return f"{self.name} {self.version}{' (working copy)' if self.working_copy else ''}"

    @property
    def kind(self) -> str:
        return "workingcopy" if self.working_copy else "release"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A module in a platform, at a logical path like `#GROUP#SUB`."""

    key: ModuleKey
    path: str
    properties_path: str
    values: Values
    instances: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Platform:
    name: str
    version: str
    production: bool
    globals: Values
    modules: tuple[Deployed, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """A file as Hesperides generated it."""

    platform: str
    path: str
    module: ModuleKey
    instance: str
    location: str
    filename: str
    content: str


@dataclass(frozen=True, slots=True)
class Dump:
    """An application. files: what Hesperides generated, when that was asked for."""

    application: str
    platforms: tuple[Platform, ...]
    modules: Mapping[ModuleKey, tuple[Template, ...]]
    files: tuple[Generated, ...] = ()


def read_dump(document: Any, file: str) -> Dump:
    """The dump behind a JSON document; ConfigInvalid when it is none."""
    try:
        if document["hesperides"] != FORMAT:
            raise ValueError
        modules = {_key(one["module"]): tuple(_templates(one)) for one in document["modules"]}
        platforms = tuple(map(_platform, document["platforms"]))
        files = tuple(map(_generated, document.get("files", [])))
        dump = Dump(str(document["application"]), platforms, modules, files)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        where = f": {error}" if isinstance(error, KeyError) else ""
        problem = Problem(Location(file), "", f"is no dump of Hesperides{where}", "`--save FILE` makes one")
        raise ConfigInvalid([problem]) from None
    missing = [one.key for platform in platforms for one in platform.modules if one.key not in modules]
    if missing:
        raise ConfigInvalid(
            [Problem(Location(file), str(key), "has no templates in the dump") for key in missing]
        )
    return dump


def masked(dump: Dump) -> list[str]:
    """Where a value is hidden from the account that read it."""
    found = []
    for platform in dump.platforms:
        for values, where in [
            (platform.globals, "globals"),
            *((one.values, str(one.key)) for one in platform.modules),
        ]:
            found += [
                f"{platform.name}, {where}: {name}" for name in _masked(values.simple, values.iterables)
            ]
        for one in platform.modules:
            for instance, simple in one.instances.items():
                found += [f"{platform.name}, {one.key}, {instance}: {name}" for name in _masked(simple, {})]
    return found


def _masked(simple: Mapping[str, str], iterables: Mapping[str, tuple[Item, ...]]) -> Iterator[str]:
    yield from (name for name, value in simple.items() if value == MASK)
    for name, items in iterables.items():
        for item in items:
            yield from (f"{name}.{inner}" for inner in _masked(item.values, item.iterables))


def _key(value: Any) -> ModuleKey:
    return ModuleKey(str(value["name"]), str(value["version"]), bool(value["working_copy"]))


def _templates(value: Any) -> Iterator[Template]:
    """Those of the technos first, as Hesperides generates them."""
    for techno in value.get("technos", []):
        name = f"{techno['techno']['name']} {techno['techno']['version']}"
        yield from (_template(one, name) for one in techno["templates"])
    yield from (_template(one, "") for one in value["templates"])


def _template(value: Any, source: str) -> Template:
    name, filename, location, content = (
        str(value[field] or "") for field in ("name", "filename", "location", "content")
    )
    return Template(name, filename, location, content, _rights(value.get("rights")), source)


def _rights(value: Any) -> int | None:
    """`{"user": {"read": true, …}, …}`, or `{"user": "rwx", …}` as the list of files has it."""
    if not isinstance(value, dict):
        return None
    mode, is_said = 0, False
    for who, shift in (("user", 6), ("group", 3), ("other", 0)):
        rights = value.get(who)
        if isinstance(rights, str):
            rights = {"read": "r" in rights, "write": "w" in rights, "execute": "x" in rights}
        for name, bit in (("read", 4), ("write", 2), ("execute", 1)):
            given = rights.get(name) if isinstance(rights, dict) else None
            is_said |= given is not None
            mode |= (bit << shift) if given else 0
    return mode if is_said else None


def _platform(value: Any) -> Platform:
    platform, properties = value["platform"], value["properties"]
    return Platform(
        str(platform["platform_name"]),
        str(platform.get("application_version") or ""),
        bool(platform.get("production", platform.get("is_production", False))),
        _values(value["globals"]),
        tuple(_deployed(one, properties[str(one["properties_path"])]) for one in platform["modules"]),
    )


def _deployed(value: Any, properties: Any) -> Deployed:
    instances = {
        str(one["name"]): _pairs(one.get("key_values") or one.get("key_value_properties") or [])
        for one in value.get("instances") or []
    }
    path = str(value.get("path") or value.get("modulePath") or "")
    return Deployed(_key(value), path, str(value["properties_path"]), _values(properties), instances)


def _values(value: Any) -> Values:
    return Values(
        _pairs(value.get("key_value_properties") or []), _iterables(value.get("iterable_properties") or [])
    )


def _pairs(values: Any) -> dict[str, str]:
    return {str(one["name"]): "" if one["value"] is None else str(one["value"]) for one in values}


def _iterables(values: Any) -> dict[str, tuple[Item, ...]]:
    return {
        str(one["name"]): tuple(map(_item, one.get("iterable_valorisation_items") or [])) for one in values
    }


def _item(value: Any) -> Item:
    inside = value.get("values") or []
    simple = [one for one in inside if "iterable_valorisation_items" not in one]
    return Item(
        str(value.get("title") or ""),
        _pairs(simple),
        _iterables([one for one in inside if "iterable_valorisation_items" in one]),
    )


def _generated(value: Any) -> Generated:
    instance, location, filename, content = (
        str(value[field]) for field in ("instance", "location", "filename", "content")
    )
    return Generated(
        str(value["platform"]),
        str(value["path"]),
        _key(value["module"]),
        instance,
        location,
        filename,
        content,
    )
