"""ecluse.yaml → Product: services, environments, places and backing services, checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.config.backing import PORTS
from ecluse.config.document import Document
from ecluse.config.product_rules import DEFAULT_ENGINE, product_problems
from ecluse.config.schema.product import (
    BackingOverrideText,
    BackingText,
    EnvironmentText,
    ExternalText,
    ProductText,
    TlsText,
)
from ecluse.config.validate import fit
from ecluse.errors import Problem
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.model.product import (
    Backing,
    BackingKind,
    Environment,
    External,
    Place,
    Product,
    ServiceEntry,
    Tls,
)


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
    services = {
        ServiceName(name): _entry(name, shape, folders) for name in sorted({*shape.services, *folders})
    }
    product = Product(
        name=ProductName(shape.product),
        services=services,
        environments={
            EnvironmentName(name): _environment(name, text, shape)
            for name, text in shape.environments.items()
        },
        registry=shape.registry,
    )
    found = (*problems, *product_problems(shape, services, folders, document))
    return ProductFile(product, document, frozenset(shape.backing)), found


def _entry(name: str, shape: ProductText, folders: Mapping[str, str]) -> ServiceEntry:
    text = shape.services.get(name)
    domain, repository = (text.domain, text.repository) if text else (None, None)
    return ServiceEntry(ServiceName(name), domain, repository, folders.get(name))


def _environment(name: str, text: EnvironmentText, shape: ProductText) -> Environment:
    places = {key: Place(key, place.engine, place.context, place.namespace)
              for key, place in (text.places or {}).items()}  # fmt: skip
    engine = text.engine or DEFAULT_ENGINE
    places = places or {engine: Place(engine, engine)}
    return Environment(
        name=EnvironmentName(name),
        domain=text.domain,
        places=places,
        default_place=text.default or next(iter(places)),
        placement={ServiceName(service): place for service, place in text.placement.items()},
        backing={
            key: _backing(key, backing, text.backing.get(key)) for key, backing in shape.backing.items()
        },
        follows=tuple(map(EnvironmentName, text.follows)),
        protected=text.protected,
        registry=text.registry,
        tls=_tls(text.tls),
    )


def _tls(text: TlsText) -> Tls:
    # a mode that is not available is reported, and nothing is made of it
    mode = "local" if text.mode == "acme" else text.mode
    return Tls(mode, text.certificate, text.key, text.redirect, text.hsts)


def _backing(name: str, text: BackingText, override: BackingOverrideText | None) -> Backing:
    given = text.model_dump(exclude_none=True, exclude={"external"})
    over = override.model_dump(exclude_none=True, exclude={"external"}) if override else {}
    external = (override.external if override else None) or text.external
    return Backing(name=name, external=_external(external, text.kind), **(given | over))


def _external(text: ExternalText | None, kind: BackingKind) -> External | None:
    if text is None:
        return None
    return External(text.host, text.port or PORTS[kind], text.user, text.name, text.password_key)
