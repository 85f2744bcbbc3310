"""Configuration + releases + secrets → Desired: what an environment should be, with no reference left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ecluse.config.application import application
from ecluse.config.backing import Accounts
from ecluse.config.crons import unexplained
from ecluse.config.load import Configuration, use_problems
from ecluse.config.readers import reader_problems
from ecluse.config.scope import Means, ServiceScope, Surroundings, service_scope
from ecluse.config.service import Declaration, read_declaration
from ecluse.config.strays import own_strays
from ecluse.errors import ConfigInvalid, NotFound, Problem, nearest
from ecluse.model.application import BackingService, Desired, Target
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Environment
from ecluse.model.release import Release
from ecluse.model.secret import Encrypted


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an environment should be, and what deserves a look without being wrong."""

    desired: Desired
    warnings: tuple[Problem, ...]
    unreadable: tuple[Encrypted, ...] = ()
    """Values of encrypted files that were met, that nobody here can read and that this state never saw."""


def resolve(
    configuration: Configuration,
    environment: EnvironmentName,
    releases: Mapping[ServiceName, Release],
    services: Collection[ServiceName],
    means: Means,
) -> Resolved:
    """The environment with `services` at their `releases`.

    What a service is comes from its release, never from the tree; the tree speaks for services without one,
    as far as others refer to them.
    Raises ConfigInvalid with every problem, NotFound for an environment, a service or a release.
    """
    resolved, problems, absent = resolved_or_not(configuration, environment, releases, services, means)
    if problems or absent:
        raise ConfigInvalid((*problems, *absent))
    return resolved


def resolved_or_not(
    configuration: Configuration,
    environment: EnvironmentName,
    releases: Mapping[ServiceName, Release],
    services: Collection[ServiceName],
    means: Means,
) -> tuple[Resolved, tuple[Problem, ...], tuple[Problem, ...]]:
    """As `resolve`, with the problems and the absent secrets beside what could be resolved."""
    around = surroundings(configuration, environment, releases, services, means)
    where = around.environment
    applications = {
        name: application(around.scopes[name], releases[name], _templates_at(configuration, releases[name]))
        for name in sorted(services)
        if name in around.scopes
    }
    around.problems += _host_problems(around, applications)
    around.problems += reader_problems(configuration, where, applications.values())
    backing = dict(_backing(around))
    target = Target(configuration.product.name, environment, where.domain, where.protected, where.tls)
    desired = Desired(target, applications, backing, configuration.revision, configuration.dirty)
    resolved = Resolved(desired, tuple(dict.fromkeys(around.warnings)), tuple(around.unreadable.values()))
    return resolved, tuple(around.problems), tuple(around.absent)


def surroundings(
    configuration: Configuration,
    environment: EnvironmentName,
    releases: Mapping[ServiceName, Release],
    services: Collection[ServiceName],
    means: Means,
) -> Surroundings:
    """The services of an environment, each value ready to be asked for."""
    where = _environment(configuration, environment)
    _require(configuration, releases, services)
    accounts = Accounts(environment, means.vault, means.secrets, means.known)
    around = Surroundings(configuration.product, where, means, accounts)
    around.warnings += configuration.warnings
    _enter_services(configuration, releases, services, around)
    return around


def _environment(configuration: Configuration, name: EnvironmentName) -> Environment:
    environments = configuration.product.environments
    if name not in environments:
        raise NotFound(f"no environment is named {name}", hint=nearest(name, environments))
    return environments[name]


def _require(
    configuration: Configuration, releases: Mapping[ServiceName, Release], services: Collection[ServiceName]
) -> None:
    for name in services:
        if name not in configuration.product.services:
            hint = nearest(name, configuration.product.services)
            raise NotFound(f"no service is named {name}", hint=hint)
        if name not in releases:
            raise NotFound(f"{name} has no release", hint=f"`ecluse build {name}` makes one")


def _enter_services(
    configuration: Configuration,
    releases: Mapping[ServiceName, Release],
    services: Collection[ServiceName],
    around: Surroundings,
) -> None:
    for name, entry in configuration.product.services.items():
        release = releases.get(name)
        declaration = configuration.declarations.get(name)
        if release:
            told = around.problems if name in services else around.warnings
            declaration = _declaration(configuration, release, told)
        if declaration is None:
            continue
        layers = configuration.layers.of(around.environment.name, name, entry.domain)
        version = release.version if release else None
        around.scopes[name] = service_scope(declaration, layers, version, around)
        if name in services:
            here = configuration.layers.environments[around.environment.name].of(name, entry.domain)
            around.problems += unexplained(around.scopes[name], here)
            _compare_with_tree(configuration, around.scopes[name], around)


def _declaration(configuration: Configuration, release: Release, told: list[Problem]) -> Declaration | None:
    """What a release carries. Equal to the tree, it is the tree's: its lines can be looked up there."""
    tree = configuration.declarations.get(release.service)
    if tree and tree.text == release.service_yaml:
        return tree
    folder = configuration.product.services[release.service].path or f"services/{release.service}"
    declaration, problems = _released(release.service_yaml, f"{folder}/service.yaml@{release.version}")
    told += problems
    if declaration and declaration.spec.name != release.service:
        message = f"is {declaration.spec.name} in a release of {release.service}"
        told.append(declaration.document.problem(("service",), message))
        return None
    return declaration


@lru_cache(maxsize=512)
def _released(text: str, file: str) -> tuple[Declaration | None, tuple[Problem, ...]]:
    """A release never changes, so it is read once."""
    return read_declaration(text, file)


def _compare_with_tree(configuration: Configuration, scope: ServiceScope, around: Surroundings) -> None:
    """Names in the service's own layers that its release does not know: a warning when the tree does."""
    tree = configuration.declarations.get(scope.name)
    if tree is scope.declaration:
        return
    around.problems += use_problems(scope.declaration, configuration)
    for layers in (configuration.layers.product, configuration.layers.environments[around.environment.name]):
        if layer := layers.services.get(scope.name):
            found = own_strays(layer, scope.declaration.spec)
            (around.warnings if tree else around.problems).extend(found)


def _templates_at(configuration: Configuration, release: Release) -> str:
    folder = configuration.product.services[release.service].path or f"services/{release.service}"
    is_tree = configuration.templates.get(release.service) == release.templates
    return folder if is_tree else f"{folder}@{release.version}"


def _host_problems(around: Surroundings, named: Collection[ServiceName]) -> Iterator[Problem]:
    """Public names that two processes would share; one of them is in a named service."""
    known = len(around.problems)
    owners: dict[str, list[tuple[ServiceScope, str]]] = {}
    for scope in around.scopes.values():
        for process in scope.declaration.spec.processes.values():
            if host := scope.public_host(process):
                owners.setdefault(host, []).append((scope, process.name))
    del around.problems[known:]
    for host, sharing in owners.items():
        (first, its_process), *others = sorted(sharing, key=lambda owner: owner[0].name not in named)
        for scope, name in others if first.name in named else ():
            message = f"{host} is also the public name of {first.name}/{its_process}"
            yield scope.process_problem(name, "expose", message)


def _backing(around: Surroundings) -> Iterator[tuple[str, BackingService]]:
    """The backing services that run here for somebody."""
    for name, backing in around.environment.backing.items():
        clients = [scope.name for scope in around.scopes.values() if name in scope.declaration.spec.uses]
        if clients and backing.external is None:
            yield name, around.accounts.service(backing, clients)
