"""Where a key stands and who refers to it; what is said in vain; what is said in many places. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ecluse.config.interpolate import references_in
from ecluse.config.layers import Layer
from ecluse.config.load import Configuration
from ecluse.config.merge import Given
from ecluse.config.render import template_names
from ecluse.config.scope import ServiceScope
from ecluse.config.sight import Sight, shown
from ecluse.config.types import written
from ecluse.errors import Location
from ecluse.model.application import Origin
from ecluse.model.service import Plain

LEAST = 4
"""Texts shorter than this are equal by chance."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that speaks of a key: it declares it, gives it, or refers to it.

    shown: what it says, None for a secret. wins: `environment/service` for which a value wins.
    """

    kind: str
    origin: Origin
    shown: str | None
    wins: tuple[str, ...] = ()


def places_of(key: str, sights: list[Sight]) -> list[Place]:
    """Every place of a key; empty when nobody knows it."""
    configuration = sights[0].configuration
    is_secret = any(
        key in one.spec.config and one.spec.config[key].secret for one in configuration.declarations.values()
    )
    found = [*_declarations(key, configuration), *_givers(key, sights, is_secret=is_secret)]
    return [*found, *_referrers(key, configuration)]


def known_keys(sights: list[Sight]) -> set[str]:
    return {key for spec in sights[0].configuration.services.values() for key in spec.config}


def _declarations(key: str, configuration: Configuration) -> Iterator[Place]:
    for name, declaration in configuration.declarations.items():
        if declared := declaration.spec.config.get(key):
            origin = Origin(f"contract of {name}", declaration.document.location(("config", key)))
            yield Place("declared", origin, "secret" if declared.secret else declared.type)


def _givers(key: str, sights: list[Sight], *, is_secret: bool) -> Iterator[Place]:
    wins: dict[Origin, list[str]] = {}
    shown_at: dict[Origin, str | None] = {}
    for sight in sights:
        for scope in sight.around.scopes.values():
            given = scope.merged[key].given if key in scope.declaration.spec.config else ()
            for rank, one in enumerate(given):
                shown_at[one.origin] = shown(one, is_secret=is_secret)
                wins.setdefault(one.origin, [])
                if rank == 0:
                    wins[one.origin].append(f"{sight.environment}/{scope.name}")
    for origin in sorted(wins, key=lambda one: one.location):
        yield Place("given", origin, shown_at[origin], tuple(wins[origin]))


def _referrers(key: str, configuration: Configuration) -> Iterator[Place]:
    for name, declaration in configuration.declarations.items():
        document = declaration.document
        for other, declared in declaration.spec.config.items():
            if f"app.{key}" in references_in(declared.default):
                origin = Origin(f"contract of {name}", document.location(("config", other, "default")))
                yield Place("referred to", origin, other)
        for template, text in configuration.templates[name].items():
            if key in template_names(text) and key in declaration.spec.config:
                file = f"{document.file.removesuffix('service.yaml')}{template}"
                yield Place("referred to", Origin(f"template of {name}", Location(file)), template)
    for layer in _layers(configuration):
        for path, value in _leaves(layer):
            if f"app.{key}" in references_in(value):
                yield Place("referred to", layer.origin(*path), ".".join(path))


@dataclass(frozen=True, slots=True)
class Vain:
    """Something that is said and changes nothing."""

    origin: Origin
    name: str
    why: str


def said_in_vain(sights: list[Sight]) -> list[Vain]:
    """What no environment would miss."""
    configuration = sights[0].configuration
    found = [*_never_winning(sights), *_undeclared(configuration), *_idle_backing(configuration)]
    return sorted(found, key=lambda one: (one.origin.location, one.name))


def _never_winning(sights: list[Sight]) -> Iterator[Vain]:
    wins: dict[Origin, bool] = {}
    same: dict[Origin, Origin | None] = {}
    names: dict[Origin, str] = {}
    for sight in sights:
        for scope in sight.around.scopes.values():
            for name, given in _merged_values(scope):
                _tally(name, given, wins, same, names)
    for origin, is_winner in wins.items():
        if origin.is_release:
            continue
        if not is_winner:
            yield Vain(origin, names[origin], "is beaten everywhere")
        elif other := same.get(origin):
            yield Vain(origin, names[origin], f"says what {other} says already")


def _tally(
    name: str,
    given: tuple[Given, ...],
    wins: dict[Origin, bool],
    same: dict[Origin, Origin | None],
    names: dict[Origin, str],
) -> None:
    for rank, one in enumerate(given):
        origin = one.origin
        names[origin] = name
        is_part = isinstance(one.value, dict) and all(isinstance(over.value, dict) for over in given[:rank])
        wins[origin] = wins.get(origin, False) or rank == 0 or is_part
        below = given[rank + 1] if rank + 1 < len(given) else None
        repeats = below is not None and below.value == one.value and not isinstance(one.value, dict)
        same[origin] = below.origin if repeats and below and same.get(origin, below.origin) else None


def _merged_values(scope: ServiceScope) -> Iterator[tuple[str, tuple[Given, ...]]]:
    for key, merged in scope.merged.items():
        yield f"app.{key}", merged.given
    for process in scope.declaration.spec.processes:
        for name, merged in scope.process_fields(process).items():
            yield f"run.{process}.{name}", merged.given


def _undeclared(configuration: Configuration) -> Iterator[Vain]:
    product, specs = configuration.product, configuration.services
    for scope in configuration.layers.scopes():
        for domain, layer in scope.shared():
            names = [name for name, entry in product.services.items() if domain in (None, entry.domain)]
            if all(name in specs for name in names):
                known = {key for name in names for key in specs[name].config} | product.password_keys
                for key in layer.app:
                    if key not in known:
                        yield Vain(layer.origin("app", key), f"app.{key}", "is declared by no service")


def _idle_backing(configuration: Configuration) -> Iterator[Vain]:
    used = {name for spec in configuration.services.values() for name in spec.uses}
    if len(configuration.services) < len(configuration.product.services):
        return
    for name in sorted(configuration.backing - used):
        where = Origin("ecluse.yaml", configuration.document.location(("backing", name)))
        yield Vain(where, f"backing.{name}", "is used by no service")


@dataclass(slots=True)
class Repeated:
    """One value that several places write. `shown` is None for a secret. advice: where it could be said once."""

    shown: str | None
    places: list[tuple[str, Origin]] = field(default_factory=list)
    advice: str | None = None


def repeated(configuration: Configuration, reveal: Callable[[Plain], str | None]) -> list[Repeated]:
    """Values that are written more than once, most often first.

    reveal: what to compare an encrypted value by, None when it cannot be read here.
    """
    found: dict[tuple[bool, str], Repeated] = {}
    secret = {
        key for one in configuration.services.values() for key, told in one.config.items() if told.secret
    }
    for name, origin, value, is_hidden in _written_values(configuration, reveal, secret):
        found.setdefault((is_hidden, value), Repeated(None if is_hidden else value)).places.append(
            (name, origin)
        )
    many = [one for (_, text), one in found.items() if _counts(one, text)]
    for one in many:
        one.advice = _advice(one)
    return sorted(many, key=lambda one: (-len(one.places), one.places[0][1].location))


def _written_values(
    configuration: Configuration, reveal: Callable[[Plain], str | None], secret: set[str]
) -> Iterator[tuple[str, Origin, str, bool]]:
    for layer in _layers(configuration):
        for key, value in layer.app.items():
            if value is None or isinstance(value, bool) or references_in(value):
                continue
            if layer.is_encrypted:
                if (text := reveal(value)) is not None:
                    yield f"app.{key}", layer.origin("app", key), text, True
            elif key not in secret:
                yield f"app.{key}", layer.origin("app", key), _shown(value), False
    for declaration in configuration.declarations.values():
        for key, declared in declaration.spec.config.items():
            if isinstance(declared.default, str) and not references_in(declared.default):
                path = ("config", key, "default")
                origin = Origin(f"contract of {declaration.spec.name}", declaration.document.location(path))
                yield f"app.{key}", origin, declared.default, False


def _counts(one: Repeated, text: str) -> bool:
    """Short texts count only under one name."""
    if len(one.places) < 2:
        return False
    names = {name for name, _ in one.places}
    return len(names) == 1 or (len(text) >= LEAST and not text.isdigit())


def _advice(one: Repeated) -> str | None:
    names = list(dict.fromkeys(name for name, _ in one.places))
    if len(names) > 1:
        return f"say it once, and refer to it as ${{{names[0]}}}"
    return "say it once in a layer that all of them read"


def _layers(configuration: Configuration) -> Iterator[Layer]:
    for scope in configuration.layers.scopes():
        yield from scope.all()


def _leaves(layer: Layer) -> Iterator[tuple[tuple[str, ...], Plain]]:
    for key, value in layer.app.items():
        yield ("app", key), value
    for process, fields in layer.run.items():
        for name, value in (fields if isinstance(fields, dict) else {}).items():
            yield ("run", process, name), value


def _shown(value: Plain) -> str:
    return "null" if value is None else written(value)
