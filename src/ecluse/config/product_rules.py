"""What an ecluse.yaml must not say: names that nobody has, places that miss a service, circles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ecluse.config.document import Document, Path
from ecluse.config.schema.product import (
    BackingOverrideText,
    EnvironmentText,
    ExternalText,
    ProductText,
    TlsText,
)
from ecluse.config.service_rules import RESERVED_SERVICES
from ecluse.errors import Problem, nearest
from ecluse.model.names import key_problem
from ecluse.model.product import EngineKind

DEFAULT_ENGINE: EngineKind = "docker"


def product_problems(
    shape: ProductText, services: Collection[str], folders: Mapping[str, str], document: Document
) -> Iterator[Problem]:
    """What an ecluse.yaml says that cannot be, once its shape is right."""
    for name, entry in shape.services.items():
        if name in RESERVED_SERVICES:
            yield document.problem(("services", name), f"{name} is a reserved name")
        if name not in folders and not entry.repository:
            hint = nearest(name, [folder for folder in folders if folder not in shape.services])
            message = f"has neither {entry.path or f'services/{name}'}/service.yaml nor a `repository:`"
            yield document.problem(("services", name), message, hint)
    for name in shape.backing:
        if name in services:
            yield document.problem(("backing", name), f"shares its name with the service {name}")
        yield from _external_problems(shape.backing[name].external, ("backing", name), document)
        yield from _backup_problems(shape.backing[name], ("backing", name), document)
    for name, text in shape.environments.items():
        yield from _environment_problems(name, text, shape, services, document)
    yield from _shared_domains(shape, document)
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
    yield from _tls_problems(text.tls, (*at, "tls"), document)
    for key, override in text.backing.items():
        if key not in shape.backing:
            hint = nearest(key, shape.backing)
            yield document.problem((*at, "backing", key), f"no backing service is named {key}", hint)
        yield from _external_problems(override.external, (*at, "backing", key), document)
        yield from _backup_problems(override, (*at, "backing", key), document)


def _tls_problems(text: TlsText, at: Path, document: Document) -> Iterator[Problem]:
    for name in ("certificate", "key"):
        is_given = getattr(text, name) is not None
        if text.mode == "files" and not is_given:
            yield document.problem((*at, "mode"), f"files needs a `{name}:`", "give its path on the machine")
        if text.mode != "files" and is_given:
            yield document.problem((*at, name), f"is given, and the mode is {text.mode}", "write mode: files")
    if text.mode == "acme" and text.directory is None:
        hint = "for instance https://acme-v02.api.letsencrypt.org/directory"
        yield document.problem((*at, "mode"), "acme needs a `directory:`", hint)
    for name in ("directory", "email", "authority"):
        if text.mode != "acme" and getattr(text, name) is not None:
            yield document.problem((*at, name), f"is given, and the mode is {text.mode}", "write mode: acme")
    if text.mode == "off":
        for name in ("redirect", "hsts"):
            if getattr(text, name):
                yield document.problem((*at, name), "needs HTTPS, and the mode is off")


def _place_problems(
    text: EnvironmentText, at: Path, services: Collection[str], document: Document
) -> Iterator[Problem]:
    if text.engine and text.places:
        yield document.problem((*at, "engine"), "is given beside places", "`engine:` is short for one place")
    places = set(text.places or [text.engine or DEFAULT_ENGINE])
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


def _backup_problems(text: BackingOverrideText, at: Path, document: Document) -> Iterator[Problem]:
    if text.backup is None:
        return
    if text.backup.enabled and text.backup.schedule is None:
        hint = 'for instance schedule: "30 2 * * *", or enabled: false'
        yield document.problem((*at, "backup"), "has no schedule", hint)
    if text.external is not None:
        yield document.problem(
            (*at, "backup"), "is of a service that we do not run", "whoever runs it backs it up"
        )


def _shared_domains(shape: ProductText, document: Document) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, text in shape.environments.items():
        owner = owners.setdefault(text.domain, name)
        if owner != name:
            yield document.problem(("environments", name, "domain"), f"is also the domain of {owner}")


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
