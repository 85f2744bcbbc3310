"""Brings sources, builder and releases together for a build."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence

from ecluse.errors import NotFound, Problem
from ecluse.model.names import ServiceName
from ecluse.model.source import BuildProgress, Source
from ecluse.wiring.product import OpenProduct


def build_releases(
    product: OpenProduct, services: Sequence[ServiceName], *, version: str | None, jobs: int
) -> AsyncIterator[BuildProgress]:
    from ecluse.images.build import build
    from ecluse.images.client import find_builder

    sources = [source(product, name) for name in services]
    return build(sources, version=version, jobs=jobs, builder=find_builder(os.environ))


def lint(product: OpenProduct, services: Sequence[ServiceName]) -> Iterator[Problem]:
    """What in the Dockerfiles can make a release drift, or bind it to an environment."""
    from ecluse.images.inputs import dockerfile_of, read_dockerfile
    from ecluse.images.lint import lint_dockerfile

    for name in services:
        made_from = source(product, name)
        path = dockerfile_of(made_from)
        yield from lint_dockerfile(read_dockerfile(made_from), os.path.relpath(path, product.root))


def source(product: OpenProduct, service: ServiceName) -> Source:
    spec = product.configuration.services.get(service)
    if spec is None:
        repository = product.product.services[service].repository
        raise NotFound(
            f"the source of {service} is not in this product",
            hint=f"build it in its own repository, {repository}"
            if repository
            else f"make services/{service}",
        )
    return product.workspace.source(product.product.name, service, spec)
