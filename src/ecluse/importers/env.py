"""`.env` files → contracts and layers: what is common is said once, what is secret is encrypted. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ecluse.errors import ConfigInvalid, Location, Problem
from ecluse.importers.contract import declaration, native, type_of
from ecluse.importers.dotenv import EnvFile, read_env
from ecluse.importers.draft import Draft, environment_service, twin
from ecluse.importers.keys import contract_keys
from ecluse.importers.recognise import secret_reason
from ecluse.model.service import Plain, ValueType


@dataclass(frozen=True, slots=True)
class Source:
    """One file: whose settings it holds. Without an environment, it speaks for all of them."""

    file: str
    text: str
    service: str
    environment: str | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller decides about secrets, by name."""

    secret: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Settings:
    """A key of one service: its values by environment."""

    values: dict[str | None, str] = field(default_factory=dict)
    reason: str | None = None
    kind: ValueType = "string"


def import_env(
    sources: Sequence[Source], *, environments: Collection[str], contracts: Mapping[str, Collection[str]],
    wishes: Wishes | None = None,
) -> Draft:  # fmt: skip
    """The draft of an import. `environments`: those of the product. `contracts`: keys that services declare
    already, which are left as they are. Raises ConfigInvalid for files that cannot be read."""
    draft = Draft("env")
    files = {source: read_env(source.text, source.file) for source in sources}
    problems = [problem for file in files.values() for problem in file.problems]
    problems += _twice(sources)
    if problems:
        raise ConfigInvalid(problems)
    for source, file in files.items():
        _tell_oddities(draft, source, file)
    names = contract_keys(name for file in files.values() for name in file.values)
    for name, key in names.items():
        if name != key:
            draft.tell("changed", name, f"is {key} here: a key is made of A-Z, 0-9 and _")
    table = _table(files, names, wishes or Wishes())
    where = {
        source.service: {one.environment for one in sources if one.service == source.service}
        for source in sources
    }
    _declare(draft, table, where, environments, contracts)
    _place(draft, table, where, environments, contracts)
    return draft


def _twice(sources: Sequence[Source]) -> Iterator[Problem]:
    seen: dict[tuple[str, str | None], str] = {}
    for source in sources:
        first = seen.setdefault((source.service, source.environment), source.file)
        if first != source.file:
            of = f"{source.service} in {source.environment}" if source.environment else source.service
            yield Problem(
                Location(source.file), "", f"speaks of {of}, as {first} does", "give one file for each"
            )


def _tell_oddities(draft: Draft, source: Source, file: EnvFile) -> None:
    for name in file.inherited:
        draft.tell("left", f"{source.file}: {name}", "has no value there: it is taken from whoever calls")
    for name in file.doubles:
        draft.tell("shadowed", f"{source.file}: {name}", "is given twice; the last one counts")
    for name, unset in file.unset.items():
        draft.tell(
            "left",
            f"{source.file}: {name}",
            f"refers to {', '.join(sorted(unset))}, which no line above gives",
        )


def _table(
    files: Mapping[Source, EnvFile], names: Mapping[str, str], wishes: Wishes
) -> dict[tuple[str, str], _Settings]:
    """(service, key) → what is known of it. A key that is a secret once is one everywhere."""
    table: dict[tuple[str, str], _Settings] = {}
    reasons: dict[str, str] = {}
    for source, file in files.items():
        for name, value in file.values.items():
            table.setdefault((source.service, names[name]), _Settings()).values[source.environment] = value
            if reason := _reason(name, names[name], value, wishes):
                reasons.setdefault(names[name], reason)
    for (_, key), settings in table.items():
        settings.reason = reasons.get(key)
        kinds = [one for (_, other), one in table.items() if other == key]
        settings.kind = type_of([value for one in kinds for value in one.values.values()])
    return table


def _reason(name: str, key: str, value: str, wishes: Wishes) -> str | None:
    if {name, key} & wishes.plain:
        return None
    return "you say so" if {name, key} & wishes.secret else secret_reason(name, value)


def _declare(
    draft: Draft,
    table: Mapping[tuple[str, str], _Settings],
    where: Mapping[str, set[str | None]],
    environments: Collection[str],
    contracts: Mapping[str, Collection[str]],
) -> None:
    for service in where:
        keys = {key: settings for (name, key), settings in table.items() if name == service}
        everywhere = _is_everywhere(where[service], environments)
        config: dict[str, Plain] = {}
        for key, settings in keys.items():
            if key not in contracts.get(service, ()):
                required = everywhere and all(settings.values.get(env) for env in where[service])
                kind: ValueType = "string" if settings.reason else settings.kind
                config[key] = declaration(kind, secret=bool(settings.reason), required=required)
        path = f"services/{service}/service.yaml"
        draft.maps[path] = {"service": service, "config": config} if config else {"service": service}
        draft.tell("taken", path, f"{len(keys)} keys")


def _is_everywhere(where: Collection[str | None], environments: Collection[str]) -> bool:
    return None in where or (bool(environments) and set(environments) <= set(where))


def _place(
    draft: Draft,
    table: Mapping[tuple[str, str], _Settings],
    where: Mapping[str, set[str | None]],
    environments: Collection[str],
    contracts: Mapping[str, Collection[str]],
) -> None:
    by_key: dict[str, dict[str, _Settings]] = defaultdict(dict)
    for (service, key), settings in table.items():
        by_key[key][service] = settings
    for key, services in by_key.items():
        is_alone = not any(key in keys for name, keys in contracts.items() if name not in services)
        shareable = dict(services) if is_alone else {}
        if any(settings.reason for settings in services.values()):
            _place_secret(draft, key, services, shareable)
        else:
            _place_plain(draft, key, services, shareable, where, environments)


def _place_plain(
    draft: Draft,
    key: str,
    services: Mapping[str, _Settings],
    shareable: Mapping[str, _Settings],
    where: Mapping[str, set[str | None]],
    environments: Collection[str],
) -> None:
    """The least specific layer that gives every file its value, and nothing to whoever did not have it."""
    kind = next(iter(services.values())).kind
    if len(shareable) > 1 and _is_common(shareable, where, environments):
        value = next(iter(next(iter(services.values())).values.values()))
        draft.app(environment_service(None, None), key, native(kind, value))
        draft.tell("taken", key, f"is the same in {len(services)} services: config/common.yaml")
        return
    for service, settings in services.items():
        if _is_common({service: settings}, where, environments):
            value = next(iter(settings.values.values()))
            draft.app(environment_service(None, service), key, native(kind, value))
            continue
        for environment, value in settings.values.items():
            if _is_shared(shareable, environment, value):
                draft.app(environment_service(environment, None), key, native(kind, value))
            else:
                draft.app(environment_service(environment, service), key, native(kind, value))


def _place_secret(
    draft: Draft, key: str, services: Mapping[str, _Settings], shareable: Mapping[str, _Settings]
) -> None:
    """Beside its environment: who may read it follows from that."""
    for service, settings in services.items():
        for environment, value in settings.values.items():
            shared = environment is not None and _is_shared(shareable, environment, value)
            layer = environment_service(environment, None if shared else service)
            if not value:
                draft.app(layer, key, "")
                continue
            draft.secret(layer, key, value)
            draft.tell("secret", f"{twin(layer)}: {key}", f"because of {settings.reason}")


def _is_common(
    services: Mapping[str, _Settings], where: Mapping[str, set[str | None]], environments: Collection[str]
) -> bool:
    """Whether every file of these services gives the same value, and no environment is left out."""
    values = {value for settings in services.values() for value in settings.values.values()}
    complete = all(settings.values.keys() == where[service] for service, settings in services.items())
    return (
        len(values) == 1 and complete and all(_is_everywhere(where[name], environments) for name in services)
    )


def _is_shared(services: Mapping[str, _Settings], environment: str | None, value: str) -> bool:
    if environment is None or len(services) < 2:
        return False
    return all(settings.values.get(environment) == value for settings in services.values())
