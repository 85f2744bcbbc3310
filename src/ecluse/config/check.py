"""Every environment as the tree would have it: all that is wrong, before anybody deploys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime

from ecluse.config.load import Configuration
from ecluse.config.readers import Received, claims, same_secrets
from ecluse.config.resolve import resolved_or_not
from ecluse.config.scope import Means
from ecluse.errors import Problem
from ecluse.model.application import Desired
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.release import Release
from ecluse.ports import SecretSource, Vault

_VERSION = "tree"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def check(
    configuration: Configuration,
    secrets: SecretSource,
    vault: Vault,
    *,
    only: Collection[EnvironmentName] | None = None,
    received: Callable[[EnvironmentName], Received] | None = None,
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Problems and warnings of all environments (or `only` some), each once.

    A required secret that nobody gives is a warning here: it is not in the product's files. `received`: the
    secrets that services of an environment have; shared ones that they would get besides are warnings.
    """
    releases = dict(tree_releases(configuration))
    problems: dict[Problem, None] = {}
    warnings: dict[Problem, None] = dict.fromkeys(configuration.warnings)
    desired: list[Desired] = []
    means = Means(secrets, vault)
    for environment in configuration.product.environments if only is None else only:
        resolved, found, absent = resolved_or_not(configuration, environment, releases, releases, means)
        problems |= dict.fromkeys(found)
        warnings |= dict.fromkeys((*resolved.warnings, *absent))
        desired.append(resolved.desired)
        if received:
            warnings |= dict.fromkeys(claims(configuration, resolved.desired, received(environment)))
    shared = (*_shared_hosts(configuration, desired), *same_secrets(configuration, desired))
    return tuple(problems), (*warnings, *shared)


def _shared_hosts(configuration: Configuration, desired: Iterable[Desired]) -> Iterator[Problem]:
    """Public names that two environments would have: one machine cannot run both."""
    owners: dict[str, str] = {}
    for one in desired:
        for name, application in one.applications.items():
            for process in application.processes.values():
                host = process.expose.address(one.target.domain) if process.expose else None
                owner = owners.setdefault(host, one.target.environment) if host else one.target.environment
                if owner != one.target.environment:
                    document = configuration.declarations[name].document
                    message = f"{host} is the public name in {owner} and in {one.target.environment}"
                    hint = "leave the domain out, or give each environment its own in `run:`"
                    yield document.problem(("processes", process.name, "expose"), message, hint)


def tree_releases(configuration: Configuration) -> Iterator[tuple[ServiceName, Release]]:
    """What building the tree would release, without an image."""
    for name, declaration in configuration.declarations.items():
        yield (
            name,
            Release(
                service=name,
                version=_VERSION,
                image_id="",
                content="",
                inputs="",
                created=_LONG_AGO,
                commit=None,
                dirty=True,
                service_yaml=declaration.text,
                templates=configuration.templates[name],
            ),
        )
