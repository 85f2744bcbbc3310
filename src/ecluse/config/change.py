"""An edit of one value: which file and path it goes to, what the words mean there, and whom it touches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecluse.config.document import read_document
from ecluse.config.layers import Layer, Scope
from ecluse.config.load import Configuration
from ecluse.config.sight import Seen, Sight
from ecluse.config.types import Unfit, accept
from ecluse.errors import NotFound, Refused, UsageError, nearest
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.service import ContractKey, Plain


@dataclass(frozen=True, slots=True)
class Spot:
    """A place for a value: the layer's file, and the path in it. `layer` is None where the file is not there yet."""

    file: str
    path: tuple[str, ...]
    layer: Layer | None


@dataclass(frozen=True, slots=True)
class Where:
    """Which layer was asked for; all None is the common one."""

    environment: str | None = None
    domain: str | None = None
    service: str | None = None

    @property
    def options(self) -> str:
        """As the words of a command."""
        named = (("--env", self.environment), ("--domain", self.domain), ("--service", self.service))
        return "".join(f" {option} {name}" for option, name in named if name)


def spot(configuration: Configuration, where: Where, name: str) -> Spot:
    """The file that says `name` (`KEY`, `app.KEY`, `run.web.memory`) in a layer; NotFound, UsageError."""
    path = name_path(name)
    _check_names(configuration, where)
    scope = configuration.layers.product
    folder = "config"
    if where.environment:
        scope = configuration.layers.environments[EnvironmentName(where.environment)]
        folder = f"config/environments/{where.environment}"
    layer = _layer(scope, where)
    if layer:
        return Spot(layer.document.file, (*map(str, layer.prefix), *path), layer)
    if where.service:
        return Spot(f"{folder}/services/{where.service}.yaml", path, None)
    return Spot(
        f"{folder}/domains/{where.domain}.yaml" if where.domain else f"{folder}/common.yaml", path, None
    )


def name_path(name: str) -> tuple[str, ...]:
    parts = tuple(name.split("."))
    if len(parts) == 1:
        return ("app", name)
    is_field = parts[0] == "run" and len(parts) >= 3 and all(parts)
    if not is_field and not (parts[0] == "app" and len(parts) == 2):
        raise UsageError(f"{name} is not the name of a value", hint="write KEY, or run.PROCESS.FIELD")
    return parts


def declared(configuration: Configuration, where: Where, key: str) -> list[ContractKey]:
    """What the contracts that a layer speaks to say of a key; NotFound when none has it."""
    product = configuration.product
    specs = [
        spec
        for name, spec in configuration.services.items()
        if where.service in (None, name) and where.domain in (None, product.services[name].domain)
    ]
    found = [spec.config[key] for spec in specs if key in spec.config]
    if not found:
        told = f"the contract of {where.service} has" if where.service else "no service declares"
        raise NotFound(
            f"{told} no key {key}" if where.service else f"{told} {key}",
            hint=nearest(key, {name for spec in specs for name in spec.config}),
        )
    return found


def meant(keys: Sequence[ContractKey], words: str, where: Where) -> Plain:
    """What the words of a command are as a value of these keys; Refused when they disagree or do not fit."""
    if any(key.secret for key in keys):
        raise Refused(f"{keys[0].name} is a secret", hint=f"ecluse secrets set {keys[0].name}{where.options}")
    values = [_meant(key, words) for key in keys]
    if any(value != values[0] or type(value) is not type(values[0]) for value in values):
        types = ", ".join(sorted({key.type for key in keys}))
        raise Refused(
            f"{keys[0].name} is of several types ({types})", hint="set it for one service: --service NAME"
        )
    return values[0]


def field_value(words: str) -> Plain:
    """A field of a process: what it would be if it was written by hand."""
    value = read_document(words, "the value").value if words.strip() else words
    if value is None:
        raise UsageError("a value must be given", hint="`ecluse config unset` removes one")
    return value


def _meant(key: ContractKey, words: str) -> Plain:
    if "${" in words.replace("$${", ""):
        return words
    value = _parsed(key, words)
    try:
        accept(key, value, is_literal=True)
    except Unfit as error:
        raise Refused(f"{key.name} {error.message}", hint=error.hint) from None
    return value


def _parsed(key: ContractKey, words: str) -> Plain:
    if key.type == "json":
        try:
            data: Plain = json.loads(words)
        except (ValueError, RecursionError):
            raise Refused(f"{key.name} must be JSON", hint="quote it for the shell: '{\"a\": 1}'") from None
        return data
    if key.type in ("integer", "number", "boolean"):
        return read_document(words, key.name).value
    if key.type == "list":
        listed = words if words.startswith("[") else f"[{words}]"
        return read_document(listed, key.name).value
    return words


def _check_names(configuration: Configuration, where: Where) -> None:
    product = configuration.product
    if where.domain and where.service:
        raise UsageError("a layer is of a domain or of a service", hint="give one of --domain and --service")
    domains = {entry.domain for entry in product.services.values() if entry.domain}
    for what, name, known in (
        ("environment", where.environment, set(map(str, product.environments))),
        ("domain", where.domain, domains),
        ("service", where.service, set(map(str, product.services))),
    ):
        if name is not None and name not in known:
            raise NotFound(f"there is no {what} {name!r}", hint=nearest(name, known))


def _layer(scope: Scope, where: Where) -> Layer | None:
    if where.service:
        return scope.services.get(ServiceName(where.service))
    return scope.domains.get(where.domain) if where.domain else scope.common


@dataclass(frozen=True, slots=True)
class Touched:
    """A value that an edit changes somewhere."""

    environment: EnvironmentName
    service: ServiceName
    name: str
    before: Seen | None
    after: Seen | None


def touched(before: Sequence[Sight], after: Sequence[Sight]) -> Iterator[Touched]:
    """Every value that is not the same afterwards, of every service in these environments."""
    for old, new in zip(before, after, strict=True):
        for service in new.around.scopes:
            was, is_now = ({one.name: one for one in side.all(service)} for side in (old, new))
            for name in dict.fromkeys([*was, *is_now]):
                left, right = was.get(name), is_now.get(name)
                if (left and left.text) != (right and right.text):
                    yield Touched(new.environment, service, name, left, right)
