"""Names in layers that no service declares: an error in a service's own layer, a warning in a shared one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ecluse.config.layers import Layer, Layers
from ecluse.errors import Problem, nearest
from ecluse.model.names import ServiceName
from ecluse.model.product import Product
from ecluse.model.service import Plain, ServiceSpec


def stray_problems(layers: Layers, specs: Mapping[ServiceName, ServiceSpec]) -> Iterator[Problem]:
    """Unknown names in the own layers of the services in `specs`."""
    for scope in layers.scopes():
        for service, layer in scope.services.items():
            if spec := specs.get(service):
                yield from own_strays(layer, spec, spec)


def own_strays(layer: Layer, *specs: ServiceSpec) -> Iterator[Problem]:
    """What a service's own layer says that none of its `specs` knows."""
    service = specs[0].name
    keys = {key for spec in specs for key in spec.config}
    processes = {name for spec in specs for name in spec.processes}
    crons = {name for spec in specs for name in spec.crons}
    for key in layer.app:
        if key not in keys:
            yield layer.problem(("app", key), f"is not in the contract of {service}", nearest(key, keys))
    for name in _processes(layer):
        if name not in processes:
            message = f"{service} has no process named {name}"
            yield layer.problem(("run", name), message, nearest(name, processes))
    for name in _crons(layer):
        if name not in crons:
            message = f"{service} has no cron named {name}"
            yield layer.problem(("run", "crons", name), message, nearest(name, crons))


def stray_warnings(
    layers: Layers, specs: Mapping[ServiceName, ServiceSpec], product: Product
) -> Iterator[Problem]:
    """Names in shared layers that none of their services knows. Says nothing while a service is unknown."""
    for scope in layers.scopes():
        for domain, layer in scope.shared():
            names = [name for name, entry in product.services.items() if domain in (None, entry.domain)]
            if all(name in specs for name in names):
                yield from _shared_strays(layer, [specs[name] for name in names], product.password_keys)


def _shared_strays(
    layer: Layer, specs: Collection[ServiceSpec], passwords: Collection[str]
) -> Iterator[Problem]:
    keys = {key for spec in specs for key in spec.config} | {*passwords}
    processes = {name for spec in specs for name in spec.processes}
    crons = {name for spec in specs for name in spec.crons}
    for key in layer.app:
        if key not in keys:
            yield layer.problem(("app", key), "no service declares this key", _close(key, keys))
    for name in _processes(layer):
        if name not in processes:
            yield layer.problem(("run", name), "no service has this process", _close(name, processes))
    for name in _crons(layer):
        if name not in crons:
            yield layer.problem(("run", "crons", name), "no service has this cron", _close(name, crons))


def _close(name: str, known: Collection[str]) -> str | None:
    hint = nearest(name, known)
    return hint if hint and hint.startswith("did you") else None


def _processes(layer: Layer) -> Iterator[str]:
    return (name for name in layer.run if name not in ("*", "crons"))


def _crons(layer: Layer) -> Iterator[str]:
    crons: Plain = layer.run.get("crons")
    return iter(crons if isinstance(crons, dict) else {})
