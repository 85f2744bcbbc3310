"""What differs between two environments, or in one of them over time, each difference with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from ecluse.config.reasons import reason_among
from ecluse.config.sight import Seen, Sight
from ecluse.config.types import written
from ecluse.model.application import Origin
from ecluse.model.names import ServiceName
from ecluse.model.product import Environment
from ecluse.model.secret import Text

SECRETS = "each environment has its own secrets"
PROTECTED = "one of the two is protected"


@dataclass(frozen=True, slots=True)
class Disparity:
    """One difference. `service` is None for what belongs to the environment. `reason` None: nobody explains it.

    is_written: the reason is given in a file; otherwise it follows from something else.
    """

    service: ServiceName | None
    name: str
    left: Seen
    right: Seen
    reason: str | None
    is_written: bool = False


def environment_disparities(left: Sight, right: Sight) -> Iterator[Disparity]:
    """What ecluse.yaml says otherwise of the two environments, but for name, domain and order."""
    one, other = left.around.environment, right.around.environment
    facts, others = dict(_facts(one)), dict(_facts(other))
    for name in dict.fromkeys([*facts, *others]):
        if facts.get(name) != others.get(name):
            told = reason_among(one.reasons, name) or reason_among(other.reasons, name)
            pair = (_fact(left, name, facts.get(name)), _fact(right, name, others.get(name)))
            why = told or (PROTECTED if name == "protected" else None)
            yield Disparity(None, name, *pair, why, is_written=told is not None)


def disparities(left: Sight, right: Sight, services: Sequence[ServiceName]) -> Iterator[Disparity]:
    """The values of `services` that are not the same on both sides."""
    for service in services:
        here, there = ({one.name: one for one in _seen(side, service)} for side in (left, right))
        for name in dict.fromkeys([*here, *there]):
            pair = (
                here.get(name) or left.field(service, name),
                there.get(name) or right.field(service, name),
            )
            if pair[0].text != pair[1].text:
                yield _explained(service, name, *pair)


def _seen(sight: Sight, service: ServiceName) -> Iterator[Seen]:
    return sight.all(service) if service in sight.around.scopes else iter(())


def _explained(service: ServiceName, name: str, left: Seen, right: Seen) -> Disparity:
    told = left.reason or right.reason
    return Disparity(service, name, left, right, told or _why(left, right), is_written=told is not None)


def _why(left: Seen, right: Seen) -> str | None:
    """What a difference follows from, when that is explained itself."""
    if told := left.reason or right.reason:
        return told
    if not (left.through or right.through):
        return _inherent(left, right)
    if left.origin != right.origin or len(left.through) != len(right.through):
        return SECRETS if left.is_secret and right.is_secret else None
    causes = []
    for one, other in zip(left.through, right.through, strict=True):
        if one.text != other.text:
            if (why := _why(one, other)) is None:
                return None
            causes.append(f"{one.name}: {why}")
    return "follows from " + "; ".join(causes) if causes else None


def _inherent(left: Seen, right: Seen) -> str | None:
    root = left.name.split(".")[0]
    if left.is_secret and right.is_secret:
        return SECRETS
    if root == "environment":
        return "each environment has its own"
    if root == "backing":
        return "the backing service of each environment, see ecluse.yaml"
    return None


def _facts(environment: Environment) -> Iterator[tuple[str, str | None]]:
    yield "protected", written(environment.protected)
    yield "registry", environment.registry
    for name, place in environment.places.items():
        yield f"places.{name}.engine", place.engine
        yield f"places.{name}.context", place.context
        yield f"places.{name}.namespace", place.namespace
    yield "places.default", environment.default_place
    for service, placed in environment.placement.items():
        yield f"placement.{service}", placed
    for name, value in asdict(environment.tls).items():
        yield f"tls.{name}", None if value is None else written(value)
    for name, backing in environment.backing.items():
        for field, value in asdict(backing).items():
            if field != "name":
                yield f"backing.{name}.{field}", None if value is None else written(value)


def _fact(sight: Sight, name: str, text: Text | None) -> Seen:
    document = sight.configuration.document
    path = ("environments", str(sight.environment), *name.split("."))
    while path not in document.lines and len(path) > 2:
        path = path[:-1]
    return Seen(name, text, origin=Origin("ecluse.yaml", document.location(path)), written=None)
