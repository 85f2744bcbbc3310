"""One environment as people ask about it: each value with where it is from, what it beats and refers to.

The same resolver as a plan's. A secret is seen as one; that it cannot be read here is no obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ecluse.config.check import tree_releases
from ecluse.config.document import Path
from ecluse.config.interpolate import BadReference, Value, references_in
from ecluse.config.load import Configuration
from ecluse.config.merge import Given, Merged
from ecluse.config.reasons import reason_for
from ecluse.config.resolve import surroundings
from ecluse.config.scope import Means, ServiceScope, Surroundings, is_one_reference
from ecluse.config.types import written, written_as
from ecluse.errors import ConfigInvalid, NotFound, Problem, nearest
from ecluse.model.application import Origin, Shadowed
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed, Text
from ecluse.model.service import ContractKey, Plain


@dataclass(frozen=True, slots=True)
class Seen:
    """One value, by the name that a reference would give it (`app.KEY`, `run.web.memory`, `backing.db.url`).

    text: what it comes to, None for nothing. written: as it stands in its file, None for a secret and for what no
    file says. beaten: most specific first. through: what it refers to. reason: why it is what it is here.
    """

    name: str
    text: Text | None
    is_secret: bool = False
    origin: Origin | None = None
    written: str | None = None
    beaten: tuple[Shadowed, ...] = ()
    through: tuple[Seen, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """The services of the tree in one environment."""

    configuration: Configuration
    around: Surroundings

    @property
    def environment(self) -> EnvironmentName:
        return self.around.environment.name

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the values that were looked at."""
        return ConfigInvalid(self.around.problems).problems

    def scope(self, service: str) -> ServiceScope:
        known = self.around.scopes
        if service not in self.configuration.product.services:
            hint = nearest(service, self.configuration.product.services)
            raise NotFound(f"there is no service {service!r}", hint=hint)
        if ServiceName(service) not in known:
            raise NotFound(f"{service} is in another repository: its contract is not here")
        return known[ServiceName(service)]

    def keys(self, service: str) -> Iterator[Seen]:
        """Every key of the contract, in its order."""
        scope = self.scope(service)
        return (self._key(scope, key, ()) for key in scope.declaration.spec.config)

    def fields(self, service: str) -> Iterator[Seen]:
        """What is said of each process and cron."""
        scope = self.scope(service)
        for process in scope.declaration.spec.processes:
            for name in scope.process_fields(process):
                yield self._field(scope, process, name, ())
        for cron in scope.declaration.spec.crons:
            yield from self._cron(scope, cron)

    def all(self, service: str) -> Iterator[Seen]:
        yield from self.keys(service)
        yield from self.fields(service)

    def field(self, service: str, name: str) -> Seen:
        """A value that nobody gives here: what it is without, for the field of a process."""
        scope = self.around.scopes.get(ServiceName(service))
        _, _, path = name.partition("run.")
        process, _, field = path.partition(".")
        if scope and process in scope.declaration.spec.processes and field:
            return self._field(scope, process, field, ())
        return Seen(name, None)

    def find(self, service: str, name: str) -> Seen:
        """`KEY`, `app.KEY` or `run.web.memory`; NotFound with the nearest name."""
        scope = self.scope(service)
        contract = scope.declaration.spec.config
        key = name.removeprefix("app.")
        if key in contract:
            return self._key(scope, key, ())
        if name.startswith("run."):
            found = next((seen for seen in self.fields(service) if seen.name == name), None)
            if found:
                return found
            raise NotFound(
                f"nobody says {name} of {service}",
                hint=nearest(name, [one.name for one in self.fields(service)]),
            )
        raise NotFound(f"the contract of {service} has no key {key}", hint=nearest(key, contract))

    def _key(self, scope: ServiceScope, key: str, trail: tuple[str, ...]) -> Seen:
        declared = scope.declaration.spec.config[key]
        value = scope.app(key)
        is_secret = declared.secret or bool(value and value.secret)
        merged = scope.merged[key]
        seen = self._merged(scope, f"app.{key}", merged, is_secret=is_secret, trail=trail)
        if origin := scope.secret_origins.get(key):
            seen = replace(seen, origin=origin, beaten=_beaten(merged.given, is_secret=is_secret))
        return replace(seen, text=self._text(value, declared, is_secret=is_secret))

    def _field(self, scope: ServiceScope, process: str, name: str, trail: tuple[str, ...]) -> Seen:
        value = scope.run(process, name)
        merged = scope.process_fields(process).get(name, Merged(None, ()))
        seen = self._merged(scope, f"run.{process}.{name}", merged, is_secret=False, trail=trail)
        return replace(seen, text=self._text(value, None, is_secret=False))

    def _cron(self, scope: ServiceScope, cron: str) -> Iterator[Seen]:
        fields = scope.cron_fields(cron)
        reason = fields["reason"].value if "reason" in fields else None
        for name, merged in fields.items():
            value = scope.cron(cron, name, merged)
            seen = self._merged(scope, f"run.crons.{cron}.{name}", merged, is_secret=False, trail=())
            told = str(reason) if reason is not None else seen.reason
            yield replace(seen, text=self._text(value, None, is_secret=False), reason=told)

    def _merged(
        self, scope: ServiceScope, name: str, merged: Merged, *, is_secret: bool, trail: tuple[str, ...]
    ) -> Seen:
        winner = merged.winner
        subject = f"{scope.name} {name}"
        through = (
            () if subject in trail or not winner else self._through(scope, merged.value, (*trail, subject))
        )
        return Seen(
            name,
            None,
            is_secret=is_secret,
            origin=winner.origin if winner else None,
            written=_written(merged, is_secret=is_secret),
            beaten=_beaten(merged.given[1:], is_secret=is_secret),
            through=through,
            reason=reason_for(scope.layers, name),
        )

    def _through(self, scope: ServiceScope, data: Plain, trail: tuple[str, ...]) -> tuple[Seen, ...]:
        return tuple(self._reference(scope, reference, trail) for reference in references_in(data))

    def _reference(self, scope: ServiceScope, reference: str, trail: tuple[str, ...]) -> Seen:
        root, *rest = reference.split(".")
        if root == "app" and len(rest) == 1 and rest[0] in scope.declaration.spec.config:
            return self._key(scope, rest[0], trail)
        try:
            value = scope.refer(reference)
        except BadReference:
            return Seen(reference, None)
        text = self._text(value, None, is_secret=value.secret)
        seen = Seen(reference, text, is_secret=value.secret, origin=self._origin(scope, root, rest))
        if root == "run" and len(rest) > 1:
            field = self._field(scope, rest[0], rest[1], trail)
            return replace(field, name=reference, text=text)
        if root == "service" and rest[-1:] == ["public_url"]:
            return replace(seen, through=self._public(".".join(rest[:-1]), trail))
        return seen

    def _public(self, service: str, trail: tuple[str, ...]) -> tuple[Seen, ...]:
        """What a public address is made of."""
        other = self.around.scopes[ServiceName(service)]
        exposed = [
            name for name in other.declaration.spec.processes if other.process_fields(name).get("expose")
        ]
        fields = [self._field(other, name, "expose", trail) for name in exposed]
        named = [replace(field, name=f"{service} {field.name}") for field in fields]
        return (*named, self._reference(other, "environment.domain", trail))

    def _origin(self, scope: ServiceScope, root: str, rest: list[str]) -> Origin | None:
        document, environment = self.configuration.document, ("environments", str(self.environment))
        paths: Mapping[str, tuple[Path, ...]] = {
            "backing": ((*environment, "backing", rest[0]), ("backing", rest[0])) if rest else (),
            "environment": ((*environment, *rest), environment),
            "product": (("product",),),
        }
        for path in paths.get(root, ()):
            if path in document.lines:
                return Origin("ecluse.yaml", document.location(path))
        if root == "service" and rest:
            other = self.around.scopes.get(ServiceName(rest[0]), scope)
            front = other.declaration.spec.front
            at: Path = ("processes", front.name, "port") if front else ("processes",)
            return Origin("service.yaml", other.declaration.document.location(at))
        return None

    def _text(self, value: Value | None, key: ContractKey | None, *, is_secret: bool) -> Text | None:
        if value is None or value.data is None:
            return None
        if isinstance(value.data, Sealed):
            return value.data
        text = written_as(key, value.data) if key else written(value.data)
        return self.around.seal(text) if is_secret else text


def open_sight(
    configuration: Configuration,
    environment: EnvironmentName,
    means: Means,
) -> Sight:
    """The environment as the tree would have it; NotFound for one that is not there."""
    around = surroundings(configuration, environment, dict(tree_releases(configuration)), (), means)
    return Sight(configuration, around)


def _written(merged: Merged, *, is_secret: bool) -> str | None:
    """The value as it stands in its file. A reference is no secret, what stands around one may be."""
    if merged.winner is None or merged.value is None or any(one.layer.is_encrypted for one in merged.given):
        return None
    return written(merged.value) if not is_secret or is_one_reference(merged.value) else None


def _beaten(given: tuple[Given, ...], *, is_secret: bool) -> tuple[Shadowed, ...]:
    return tuple(Shadowed(one.origin, shown(one, is_secret=is_secret)) for one in given)


def shown(given: Given, *, is_secret: bool) -> str | None:
    """What a layer says, None for a secret."""
    if is_secret or given.layer.is_encrypted:
        return None
    return "null" if given.value is None else written(given.value)
