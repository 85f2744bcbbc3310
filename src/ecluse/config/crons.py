"""The list of crons is the same in every environment: where one of them differs, its layer says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ecluse.config.layers import Layer
from ecluse.config.merge import Given, Merged
from ecluse.config.scope import ServiceScope
from ecluse.errors import Problem
from ecluse.model.service import Plain

_UNSAID: Mapping[str, Plain] = {"enabled": True, "timezone": "UTC"}
"""What a field is when nobody gives it, among those in which an environment may not differ in silence."""
_HELD = ("enabled", "schedule", "timezone")
_HINT = "differences need a reason: write `reason: …` beside it"


def unexplained(scope: ServiceScope, here: Sequence[Layer]) -> Iterator[Problem]:
    """Crons that the layers of this environment (`here`) switch or reschedule without a `reason`."""
    for name in scope.declaration.spec.crons:
        fields = scope.cron_fields(name)
        if _has_reason(fields.get("reason"), here):
            continue
        changes = (_change(field, fields[field], here) for field in _HELD if field in fields)
        if change := next((found for found in changes if found), None):
            given, words = change
            environment = scope.around.environment.name
            yield given.problem(f"{words} in {environment} without a reason", _HINT)


def _change(field: str, merged: Merged, here: Sequence[Layer]) -> tuple[Given, str] | None:
    """The value of this environment that is not what the others get, and what it does."""
    winner = merged.winner
    if winner is None or not _is_of(winner, here):
        return None
    elsewhere = next((given.value for given in merged.given if not _is_of(given, here)), None)
    mine, theirs = (_UNSAID.get(field) if value is None else value for value in (merged.value, elsewhere))
    if mine == theirs:
        return None
    if field != "enabled":
        return winner, "is rescheduled"
    # a reference is not resolved here: it differs all the same
    words = {True: "is switched on", False: "is switched off"}
    return winner, words[mine] if isinstance(mine, bool) else "is switched"


def _has_reason(merged: Merged | None, here: Sequence[Layer]) -> bool:
    winner = merged.winner if merged else None
    return bool(winner and _is_of(winner, here) and isinstance(winner.value, str) and winner.value.strip())


def _is_of(given: Given, here: Sequence[Layer]) -> bool:
    return any(given.layer is layer for layer in here)
