"""Which changes may be made side by side: waves one after the other, and in each wave a lane per service.

A service is in a later wave than those that it uses; its own changes stay in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecluse.delivery.order import by_use
from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change

Lane = tuple[Change, ...]
Wave = tuple[Lane, ...]

_FIRST = frozenset({"provide", "dump", "rehearse", "upgrade", "rotate"})
_LAST = frozenset({"withdraw", "erase", "revoke"})


def waves(changes: Sequence[Change], applications: Mapping[ServiceName, Application]) -> tuple[Wave, ...]:
    """Backing services, services by how deep they use others, services that go, then what stood behind them."""
    depths = _depths(applications)
    deepest = max(depths.values(), default=0)
    lanes: dict[int, dict[str, list[Change]]] = {}
    for change in changes:
        place = _place(change, depths, deepest)
        lane = change.subject if change.service is None else change.service
        lanes.setdefault(place, {}).setdefault(lane, []).append(change)
    return tuple(tuple(tuple(lane) for lane in lanes[place].values()) for place in sorted(lanes))


def _place(change: Change, depths: Mapping[ServiceName, int], deepest: int) -> int:
    if change.action in _FIRST:
        return 0
    if change.action in _LAST:
        return deepest + 2
    return depths.get(change.service, deepest + 1) if change.service is not None else deepest + 1


def _depths(applications: Mapping[ServiceName, Application]) -> dict[ServiceName, int]:
    """1 for a service that uses no other; a circle counts where it was broken."""
    depths: dict[ServiceName, int] = {}
    for name in by_use(applications):
        depths[name] = 1 + max((depths.get(used, 0) for used in applications[name].uses), default=0)
    return depths
