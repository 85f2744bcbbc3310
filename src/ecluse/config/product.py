"""ecluse.yaml → Product: services, environments, places and backing services, checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.config.backing import EXTERNAL_PORTS
from ecluse.config.document import Document
from ecluse.config.product_rules import DEFAULT_ENGINE, product_problems
from ecluse.config.schema.product import (
    BackingOverrideText,
    BackingText,
    BackupText,
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
    BackupRule,
    Environment,
    External,
    Keep,
    Place,
    Product,
    ServiceEntry,
    Tls,
)

_NESTED = {"external", "backup"}


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
        holders=shape.secrets.holders,
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
        egress=text.egress,
        reasons=text.reasons,
    )


def _tls(text: TlsText) -> Tls:
    return Tls(
        text.mode,
        text.certificate,
        text.key,
        text.redirect,
        text.hsts,
        text.directory,
        text.email,
        text.authority,
    )


def _backing(name: str, text: BackingText, override: BackingOverrideText | None) -> Backing:
    given = text.model_dump(exclude_none=True, exclude=_NESTED)
    over = override.model_dump(exclude_none=True, exclude=_NESTED) if override else {}
    external = (override.external if override else None) or text.external
    backup = _backup((override.backup if override else None) or text.backup)
    return Backing(name=name, external=_external(external, text.kind), backup=backup, **(given | over))


def _backup(text: BackupText | None) -> BackupRule | None:
    if text is None or not text.enabled or text.schedule is None:
        return None
    return BackupRule(text.schedule, text.timezone, Keep(**text.keep.model_dump()), text.test)


def _external(text: ExternalText | None, kind: BackingKind) -> External | None:
    if text is None:
        return None
    return External(
        text.host, text.port or EXTERNAL_PORTS[kind], text.user, text.name, text.password_key, text.region
    )
