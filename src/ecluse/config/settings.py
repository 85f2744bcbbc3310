"""The configuration keys of a service in one environment, each with its winner and what it beats."""

from __future__ import annotations

from collections.abc import Iterator

from ecluse.config.interpolate import Value
from ecluse.config.scope import ServiceScope, holds_encrypted
from ecluse.config.service_rules import SECRET_HINT
from ecluse.config.types import written, written_as
from ecluse.model.application import Setting, Shadowed
from ecluse.model.secret import Sealed, Text
from ecluse.model.service import ContractKey, Plain


def settings(scope: ServiceScope) -> Iterator[Setting]:
    """The keys that have a value, in the order of the contract."""
    for name, key in scope.declaration.spec.config.items():
        value = scope.app(name)
        if value is None:
            continue
        if value.data is None:
            _complain_of_absence(scope, key)
            continue
        _warn_of_age(scope, key)
        merged = scope.merged[name]
        given = merged.given
        origin = scope.secret_origins.get(name)
        beaten = given if origin else given[1:]
        shown = [
            Shadowed(one.origin, None if value.secret or key.secret else _shown(one.value)) for one in beaten
        ]
        yield Setting(name, _text(scope, key, value), origin or given[0].origin, tuple(shown), value.through)


def _text(scope: ServiceScope, key: ContractKey, value: Value) -> Text:
    if isinstance(value.data, Sealed):
        return value.data
    text = written_as(key, value.data)
    return scope.around.seal(text) if value.secret or key.secret else text


def _shown(value: Plain) -> str | None:
    if holds_encrypted(value):
        return None
    return "null" if value is None else written(value)


def _complain_of_absence(scope: ServiceScope, key: ContractKey) -> None:
    if not (key.required or _is_needed(scope, key)):
        return
    environment = scope.around.environment.name
    why = "" if key.required else f" and {key.required_when} is true"
    message = f"has no value in environment {environment}{why}"
    where = f"config/environments/{environment}/services/{scope.name}.yaml"
    hint = SECRET_HINT if key.secret else f"give it one under `app:` in {where}, or in a less specific layer"
    winner = scope.merged[key.name].winner
    if winner and winner.value is None:
        hint = f"null in {winner.origin} removes it"
    absences = scope.around.absent if key.secret else scope.around.problems
    absences.append(scope.declaration.document.problem(("config", key.name), message, hint))


def _is_needed(scope: ServiceScope, key: ContractKey) -> bool:
    if key.required_when is None or key.required_when not in scope.declaration.spec.config:
        return False
    condition = scope.app(key.required_when)
    return condition is not None and condition.data is True


def _warn_of_age(scope: ServiceScope, key: ContractKey) -> None:
    winner = scope.merged[key.name].winner
    if not (key.deprecated or key.replaced_by) or winner is None or winner.path[0] == "config":
        return
    message = f"is deprecated: {key.deprecated}" if key.deprecated else "is deprecated"
    hint = f"give {key.replaced_by} instead" if key.replaced_by else None
    scope.around.warnings.append(winner.problem(message, hint))
