"""Which release a failure speaks against, and what that forbids. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecluse.model.application import Application
from ecluse.model.cause import Cause, CauseKind
from ecluse.model.deployment import KnownGood
from ecluse.model.names import ServiceName
from ecluse.model.plan import ALONE, Intent
from ecluse.model.quarantine import Quarantined

_OF_THE_RELEASE: frozenset[CauseKind] = frozenset({
    "exited", "out-of-memory", "wrong-port", "probe-refused", "probe-silent", "task-failed", "timeout",
    "errors-rose", "slower",
})  # fmt: skip
"""Causes that speak against the program. A full disk, a taken port or a missing neighbour do not."""


def culprit(intent: Intent, cause: Cause, *, deployment: int, at: datetime) -> Quarantined | None:
    """The release to be kept out, or None: the same content ran well before, or it is not at fault."""
    if intent.plan.kind in ALONE or cause.kind not in _OF_THE_RELEASE:
        return None
    service = ServiceName(cause.subject.partition("/")[0])
    tried, before = intent.applications.get(service), intent.previous.get(service)
    if tried is None or (before is not None and before.release.content == tried.release.content):
        return None
    release = tried.release
    return Quarantined(service, release.content, release.version, cause.sentence, deployment, at)


def refusals(
    wanted: Mapping[ServiceName, Application], known: KnownGood, kept_out: Sequence[Quarantined]
) -> Iterator[str]:
    """Why these applications may not come, each a sentence. What runs already is not refused."""
    for entry in kept_out:
        application = wanted.get(entry.service)
        if application is None or application.release.content != entry.content:
            continue
        runs = known.applications.get(entry.service)
        if runs is None or runs.release.content != entry.content:
            yield told(entry)


def told(entry: Quarantined) -> str:
    return (
        f"{entry.service} {entry.version} is quarantined here since deployment {entry.deployment}: "
        f"{entry.reason} (to lift it: ecluse quarantine ENV --lift {entry.service})"
    )
