"""ecluse.yaml → Product: services, environments, places and backing services, checked against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ecluse.config.backing import PORTS
from ecluse.config.document import Document, Path
from ecluse.config.schema.product import (
    BackingOverrideText,
    BackingText,
    EnvironmentText,
    ExternalText,
    ProductText,
)
from ecluse.config.service import RESERVED_SERVICES
from ecluse.config.validate import fit
from ecluse.errors import Problem, nearest
from ecluse.model.names import EnvironmentName, ProductName, ServiceName, key_problem
from ecluse.model.product import (
    Backing,
    BackingKind,
    Environment,
    External,
    Place,
    Product,
    ServiceEntry,
)

_DEFAULT_ENGINE = "docker"


@dataclass(frozen=True, slots=True)
class ProductFile:
    """ecluse.yaml, read: the product, and where everything stands."""

    product: Product
    document: Document
    backing: frozenset[str]


def read_product(
    document: Document, folders: Mapping[str, str]
) -> tuple[ProductFile | None, tuple[Problem, ...]]:
    """`folders`: the services that the tree holds, and where."""
    shape, problems = fit(document, ProductText)
    if shape is None:
        return None, problems
    services = {ServiceName(name): _entry(name, shape, folders) for name in sorted({*shape.services, *folders})}
    product = Product(
        name=ProductName(shape.product),
        services=services,
        environments={EnvironmentName(name): _environment(name, text, shape)
                      for name, text in shape.environments.items()},  # fmt: skip
        registry=shape.registry,
    )
    found = (*problems, *_problems(shape, services, folders, document))
    return ProductFile(product, document, frozenset(shape.backing)), found


def _entry(name: str, shape: ProductText, folders: Mapping[str, str]) -> ServiceEntry:
    text = shape.services.get(name)
    domain, repository = (text.domain, text.repository) if text else (None, None)
    return ServiceEntry(ServiceName(name), domain, repository, folders.get(name))


def _environment(name: str, text: EnvironmentText, shape: ProductText) -> Environment:
    places = {key: Place(key, place.engine, place.context, place.namespace)
              for key, place in (text.places or {}).items()}  # fmt: skip
    engine = text.engine or _DEFAULT_ENGINE
    places = places or {engine: Place(engine, engine)}
    return Environment(
        name=EnvironmentName(name),
        domain=text.domain,
        places=places,
        default_place=text.default or next(iter(places)),
        placement={ServiceName(service): place for service, place in text.placement.items()},
        backing={key: _backing(key, backing, text.backing.get(key)) for key, backing in shape.backing.items()},
        follows=tuple(map(EnvironmentName, text.follows)),
        protected=text.protected,
        registry=text.registry,
    )


def _backing(name: str, text: BackingText, override: BackingOverrideText | None) -> Backing:
    given = text.model_dump(exclude_none=True, exclude={"external"})
    over = override.model_dump(exclude_none=True, exclude={"external"}) if override else {}
    external = (override.external if override else None) or text.external
    return Backing(name=name, external=_external(external, text.kind), **(given | over))


def _external(text: ExternalText | None, kind: BackingKind) -> External | None:
    if text is None:
        return None
    return External(text.host, text.port or PORTS[kind], text.user, text.name, text.password_key)


def _problems(
    shape: ProductText, services: Collection[str], folders: Mapping[str, str], document: Document
) -> Iterator[Problem]:
    for name, entry in shape.services.items():
        if name in RESERVED_SERVICES:
            yield document.problem(("services", name), f"{name} is a reserved name")
        if name not in folders and not entry.repository:
            hint = nearest(name, [folder for folder in folders if folder not in shape.services])
            message = f"has neither a folder {entry.path or f'services/{name}'} nor a `repository:`"
            yield document.problem(("services", name), message, hint)
    for name in shape.backing:
        if name in services:
            yield document.problem(("backing", name), f"shares its name with the service {name}")
        yield from _external_problems(shape.backing[name].external, ("backing", name), document)
    for name, text in shape.environments.items():
        yield from _environment_problems(name, text, shape, services, document)
    yield from _cycles(shape, document)


def _environment_problems(
    name: str, text: EnvironmentText, shape: ProductText, services: Collection[str], document: Document
) -> Iterator[Problem]:
    at: Path = ("environments", name)
    for index, other in enumerate(text.follows):
        if other == name:
            yield document.problem((*at, "follows", index), "an environment does not follow itself")
        elif other not in shape.environments:
            hint = nearest(other, shape.environments)
            yield document.problem((*at, "follows", index), f"no environment is named {other}", hint)
    yield from _place_problems(text, at, services, document)
    for key, override in text.backing.items():
        if key not in shape.backing:
            hint = nearest(key, shape.backing)
            yield document.problem((*at, "backing", key), f"no backing service is named {key}", hint)
        yield from _external_problems(override.external, (*at, "backing", key), document)


def _place_problems(
    text: EnvironmentText, at: Path, services: Collection[str], document: Document
) -> Iterator[Problem]:
    if text.engine and text.places:
        yield document.problem((*at, "engine"), "is given beside places", "`engine:` is short for one place")
    places = text.places or {text.engine or _DEFAULT_ENGINE: None}
    named = {(*at, "placement", service): place for service, place in text.placement.items()}
    if text.default is not None:
        named[*at, "default"] = text.default
    for path, place in named.items():
        if place not in places:
            yield document.problem(path, f"no place is named {place}", nearest(place, places))
    for service in text.placement:
        if service not in services:
            hint = nearest(service, services)
            yield document.problem((*at, "placement", service), f"no service is named {service}", hint)
    homeless = sorted(set(services) - text.placement.keys())
    if len(places) > 1 and text.default is None and homeless:
        yield document.problem(
            (*at, "places"), f"{', '.join(homeless[:5])} would have no place", "name a `default:` place"
        )


def _external_problems(text: ExternalText | None, at: Path, document: Document) -> Iterator[Problem]:
    if text and text.password_key and (message := key_problem(text.password_key)):
        yield document.problem((*at, "external", "password_key"), message)


def _cycles(shape: ProductText, document: Document) -> Iterator[Problem]:
    """Each circle of `follows` once, reported at its first environment by name."""
    follows = {name: [other for other in text.follows if other != name and other in shape.environments]
               for name, text in shape.environments.items()}  # fmt: skip
    done: set[str] = set()
    for start in sorted(follows):
        if start not in done and (circle := _circle(start, follows)):
            done.update(circle)
            shown = " → ".join((*circle, circle[0]))
            yield document.problem(("environments", start, "follows"), f"goes round: {shown}")


def _circle(start: str, follows: Mapping[str, list[str]]) -> list[str] | None:
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for other in follows[name]:
            if other == start:
                return _way_back(name, start, came_from)
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    return None


def _way_back(name: str, start: str, came_from: Mapping[str, str]) -> list[str]:
    way = [name]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
