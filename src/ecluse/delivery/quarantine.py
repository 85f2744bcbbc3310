"""Which release a failure speaks against, and what that forbids. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecluse.model.application import Application
from ecluse.model.cause import Cause, CauseKind
from ecluse.model.deployment import KnownGood
from ecluse.model.names import ServiceName
from ecluse.model.plan import ALONE, Intent
from ecluse.model.quarantine import Quarantined
from ecluse.model.secret import Sealed

_OF_THE_RELEASE: frozenset[CauseKind] = frozenset({
    "exited", "out-of-memory", "wrong-port", "probe-refused", "probe-silent", "task-failed", "timeout",
    "errors-rose", "slower",
})  # fmt: skip
"""Causes that speak against the program. A full disk, a taken port or a missing neighbour do not."""


def culprit(intent: Intent, cause: Cause, *, deployment: int, at: datetime) -> Quarantined | None:
    """The release to be kept out, or None: the same one ran well before, or it is not at fault.

    Where what the environment gives it is new too, nothing tells which of the two is at fault: it is kept out with that
    configuration only.
    """
    if intent.plan.kind in ALONE or cause.kind not in _OF_THE_RELEASE:
        return None
    service = ServiceName(cause.subject.partition("/")[0])
    tried, before = intent.applications.get(service), intent.previous.get(service)
    if tried is None or (before is not None and before.release.is_same(tried.release)):
        return None
    is_proven = before is not None and given(before) == given(tried)
    release = tried.release
    return Quarantined(
        service,
        release.content,
        release.version,
        cause.sentence,
        deployment,
        at,
        release.form,
        "" if is_proven else given(tried),
    )


def refusals(
    wanted: Mapping[ServiceName, Application], known: KnownGood, kept_out: Sequence[Quarantined]
) -> Iterator[str]:
    """Why these applications may not come, each a sentence. What runs already is not refused."""
    for entry in kept_out:
        application = wanted.get(entry.service)
        if application is None or not entry.is_of(application.release):
            continue
        if entry.configuration not in ("", given(application)):
            continue
        runs = known.applications.get(entry.service)
        if runs is None or not runs.release.is_same(application.release):
            yield told(entry)


def told(entry: Quarantined) -> str:
    otherwise = "it may come with another configuration; " if entry.configuration else ""
    return (
        f"{entry.service} {entry.version} is quarantined here since deployment {entry.deployment}: "
        f"{entry.reason} ({otherwise}to lift it: ecluse quarantine ENV --lift {entry.service})"
    )


def given(application: Application) -> str:
    """A digest of what the environment gives a service, beside what its release says of itself."""
    settings = {
        setting.key: setting.text for setting in application.settings if not setting.origin.is_release
    }
    run = {
        path: _field(application, path)
        for path, origin in (application.origins or {}).items()
        if not origin.is_release
    }
    text = json.dumps([settings, run, application.egress], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    return {"sealed": value.fingerprint} if isinstance(value, Sealed) else str(value)


def _field(application: Application, path: str) -> object:
    """What a process has for `run.web.memory`; a cron takes no part in a deployment."""
    _, name, *field = path.split(".")
    process = application.processes.get(name)
    return getattr(process, field[0], None) if process and field else None
