"""The order of services: who is used comes before who uses it."""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.model.application import Application
from ecluse.model.names import ServiceName


def by_use(applications: Mapping[ServiceName, Application]) -> tuple[ServiceName, ...]:
    """Every service after those that it uses; a circle is broken at the first name of the alphabet."""
    ordered: dict[ServiceName, None] = {}
    for name in sorted(applications):
        _visit(name, applications, ordered, frozenset())
    return tuple(ordered)


def _visit(
    name: ServiceName,
    applications: Mapping[ServiceName, Application],
    ordered: dict[ServiceName, None],
    above: frozenset[ServiceName],
) -> None:
    if name in ordered or name in above:
        return
    for used in sorted(applications[name].uses):
        if used in applications:
            _visit(used, applications, ordered, above | {name})
    ordered[name] = None
