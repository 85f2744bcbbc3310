"""The layer files: which file speaks for which scope, and what each of them gives."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar

from ecluse.config.document import Document, Path
from ecluse.config.schema.fields import REFERENCES
from ecluse.config.schema.layer import ServiceLayerText, SharedLayerText
from ecluse.config.validate import fit
from ecluse.errors import Location, Problem, nearest
from ecluse.model.application import Origin
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Product
from ecluse.model.service import Plain

S = TypeVar("S", ServiceLayerText, SharedLayerText)


@dataclass(frozen=True, slots=True)
class Layer:
    """What one scope says. `prefix`: where it stands in its document.

    reasons: why a value is what it is here: `app.KEY`, `run.web.replicas`, `run.web` → a sentence.
    """

    name: str
    document: Document
    prefix: Path
    app: Mapping[str, Plain]
    run: Mapping[str, Plain]
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_encrypted(self) -> bool:
        """Whether it stands in an encrypted file: then nothing of it is shown."""
        return ".sops." in self.document.file

    def origin(self, *path: str | int) -> Origin:
        return Origin(self.name, self.document.location(self.prefix + path))

    def problem(self, path: Path, message: str, hint: str | None = None) -> Problem:
        return self.document.problem(self.prefix + path, message, hint)


@dataclass(slots=True)
class Scope:
    """The layers of the product, or of one environment."""

    common: Layer | None = None
    domains: dict[str, Layer] = field(default_factory=dict)
    services: dict[ServiceName, Layer] = field(default_factory=dict)
    twin: Scope | None = None

    def of(self, service: ServiceName, domain: str | None) -> list[Layer]:
        """Least specific first, each encrypted twin after its plain layer."""
        scopes = [self, self.twin] if self.twin else [self]
        found = [scope.common for scope in scopes]
        found += [scope.domains.get(domain or "") for scope in scopes]
        found += [scope.services.get(service) for scope in scopes]
        return [layer for layer in found if layer]

    def all(self) -> Iterator[Layer]:
        if self.common:
            yield self.common
        yield from self.domains.values()
        yield from self.services.values()

    def shared(self) -> Iterator[tuple[str | None, Layer]]:
        """The layers that speak to several services, with their domain."""
        if self.common:
            yield None, self.common
        yield from self.domains.items()


@dataclass(frozen=True, slots=True)
class Layers:
    """Every layer of the product."""

    product: Scope
    environments: Mapping[EnvironmentName, Scope]

    def of(self, environment: EnvironmentName, service: ServiceName, domain: str | None) -> list[Layer]:
        """The layers that speak to a service in an environment, least specific first."""
        here = self.environments.get(environment)
        return self.product.of(service, domain) + (here.of(service, domain) if here else [])

    def scopes(self) -> Iterator[Scope]:
        for scope in (self.product, *self.environments.values()):
            yield scope
            if scope.twin:
                yield scope.twin


def read_layers(
    documents: Mapping[str, Document], product: Product, twins: Mapping[str, Document] | None = None
) -> tuple[Layers, tuple[Problem, ...]]:
    """The layers in the files under config/, and what is wrong with these files.

    twins: the encrypted files, each as a document whose encrypted values are Encrypted.
    """
    environments = {name: Scope(twin=Scope()) for name in product.environments}
    reading = _Reading(product, Layers(Scope(twin=Scope()), environments), [])
    for file, document in documents.items():
        if file.startswith("config/"):
            reading.file(file, document)
    reading.is_twin = True
    for file, document in (twins or {}).items():
        reading.file(file, document)
    reading.problems += twice_given(reading.layers)
    return reading.layers, tuple(reading.problems)


def twice_given(layers: Layers) -> Iterator[Problem]:
    """Keys that a plain file and its encrypted twin both give."""
    for scope in (layers.product, *layers.environments.values()):
        if scope.twin is None:
            continue
        pairs = [(scope.common, scope.twin.common)]
        pairs += [(scope.domains.get(name), twin) for name, twin in scope.twin.domains.items()]
        pairs += [(scope.services.get(name), twin) for name, twin in scope.twin.services.items()]
        for plain, twin in pairs:
            for key in sorted({*plain.app} & {*twin.app}) if plain and twin else ():
                assert plain
                assert twin
                message = f"is also given in {twin.origin('app', key).location}"
                yield plain.problem(("app", key), message, "keep one of the two")


@dataclass(slots=True)
class _Reading:
    product: Product
    layers: Layers
    problems: list[Problem]
    is_twin: bool = False

    def file(self, file: str, document: Document) -> None:
        bare = PurePosixPath(file).with_suffix("")
        parts = (bare.with_suffix("") if self.is_twin else bare).parts[1:]
        environment: str | None = None
        if not self.is_twin and not file.endswith(".yaml"):
            return self.wrong(document, "is not read", "a layer file ends in .yaml")
        if len(parts) > 2 and parts[0] == "environments":
            environment, parts = parts[1], parts[2:]
            if environment not in self.product.environments:
                hint = nearest(environment, self.product.environments)
                return self.wrong(document, f"no environment is named {environment}", hint)
        scope = self.layers.environments[EnvironmentName(environment)] if environment else self.layers.product
        if self.is_twin and scope.twin:
            scope = scope.twin
        self.place(parts, document, scope, environment)

    def place(
        self, parts: tuple[str, ...], document: Document, scope: Scope, environment: str | None
    ) -> None:
        before = f"environment {environment}" if environment else ""
        match parts:
            case ("common",):
                scope.common = self.shared(document, scope, before or "common", before, domain=None)
            case ("domains", name) if self.is_known(name, "domain", self.domains(), document):
                title = f"{before}, domain {name}" if before else f"domain {name}"
                if layer := self.shared(document, scope, title, before, domain=name):
                    scope.domains[name] = layer
            case ("services", name) if self.is_known(name, "service", self.product.services, document):
                shape = self.shape(document, ServiceLayerText)
                if shape:
                    self.add_service(ServiceName(name), _layer(document, (), _of(before, name)), scope)
            case ("domains" | "services", _):
                return
            case _:
                hint = "a layer is common.yaml, domains/<domain>.yaml or services/<service>.yaml"
                self.wrong(document, "speaks for no scope", hint)

    def shared(
        self, document: Document, scope: Scope, title: str, before: str, *, domain: str | None
    ) -> Layer | None:
        shape = self.shape(document, SharedLayerText)
        if not shape:
            return None
        for name in shape.services:
            path = ("services", name)
            if name not in self.product.services:
                hint = nearest(name, self.product.services)
                self.problems.append(document.problem(path, f"no service is named {name}", hint))
            elif domain and self.product.services[ServiceName(name)].domain != domain:
                self.problems.append(document.problem(path, f"{name} is not of the domain {domain}"))
            else:
                self.add_service(ServiceName(name), _layer(document, path, _of(before, name)), scope)
        return _layer(document, (), title)

    def add_service(self, name: ServiceName, layer: Layer, scope: Scope) -> None:
        other = scope.services.setdefault(name, layer)
        if other is not layer:
            message = f"this layer is also written in {other.document.location(other.prefix)}"
            self.problems.append(layer.problem((), message, "keep all of it in one place"))

    def shape(self, document: Document, shape: type[S]) -> S | None:
        if document.value is None and not document.problems:
            document = Document(document.file, {}, {})
        found, problems = fit(document, shape, context=REFERENCES)
        self.problems.extend(problems)
        return found

    def domains(self) -> set[str]:
        return {entry.domain for entry in self.product.services.values() if entry.domain}

    def is_known(self, name: str, kind: str, known: Collection[str], document: Document) -> bool:
        if name not in known:
            self.wrong(document, f"no {kind} is named {name}", nearest(name, known))
        return name in known

    def wrong(self, document: Document, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(Location(document.file), "", message, hint))


def _of(before: str, service: str) -> str:
    return f"{before}, service {service}" if before else f"service {service}"


def _layer(document: Document, prefix: Path, name: str) -> Layer:
    value: Plain = document.value
    for part in prefix:
        value = value.get(str(part)) if isinstance(value, dict) else None
    content = value if isinstance(value, dict) else {}
    return Layer(name, document, prefix, _map(content, "app"), _map(content, "run"), _reasons(content))


def _map(content: Mapping[str, Plain], key: str) -> Mapping[str, Plain]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _reasons(content: Mapping[str, Plain]) -> dict[str, str]:
    return {path: text for path, text in _map(content, "reasons").items() if isinstance(text, str)}
