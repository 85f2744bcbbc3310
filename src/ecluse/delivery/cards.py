"""The cause card of a deployment, made from what is on record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecluse.delivery import differences
from ecluse.model.card import Card, Changed
from ecluse.model.cause import Cause, CauseKind
from ecluse.model.deployment import Deployment, KnownGood
from ecluse.model.event import Event, EventKind, Recorded
from ecluse.model.names import ServiceName
from ecluse.model.plan import ALONE, Action, Difference, Step
from ecluse.model.quarantine import Quarantined

_ADVICE: dict[CauseKind, str] = {
    "exited": "read the last lines of its log; `ecluse run` and `ecluse debug` try commands in the same image",
    "task-failed": "read its output above; when it is mended, build and deploy again",
    "probe-refused": "ask the probe's address yourself, in a replica that runs: `ecluse exec`",
    "probe-silent": "is it still starting, or waiting for something? its log tells",
    "engine": "`ecluse doctor` looks at the engine",
    "cancelled": "deploy again when you want it to go on",
}


_BEHIND: frozenset[Action] = frozenset({"provide", "upgrade", "rotate"})


def card(
    deployment: Deployment,
    *,
    before: KnownGood,
    events: Sequence[Recorded] = (),
    kept_out: Sequence[Quarantined] = (),
) -> Card | None:
    """None for a deployment without a cause. `before`: what was known good just before it."""
    cause = deployment.cause
    if cause is None:
        return None
    return Card(
        deployment=deployment.number,
        environment=deployment.environment,
        kind=deployment.kind,
        state=deployment.state,
        requested_by=deployment.requested_by,
        requested_at=deployment.requested_at,
        cause=cause,
        changed=tuple(_changed(deployment, cause, before)),
        done=tuple(_done(deployment, before, events, kept_out)),
        advice=tuple(_advice(deployment, cause)),
    )


def _changed(deployment: Deployment, cause: Cause, before: KnownGood) -> Iterator[Changed]:
    if deployment.kind in ALONE:
        return
    at_fault = cause.subject.partition("/")[0]
    for step in sorted(deployment.intent.plan.steps, key=lambda step: step.service != at_fault):
        name = step.service
        old, new = deployment.intent.previous.get(name), deployment.intent.applications.get(name)
        found = tuple(differences.between(old, new)) if old and new else ()
        commits = (old.release.commit if old else None, new.release.commit if new else None)
        versions = (old.release.version if old else None, new.release.version if new else None)
        if name == at_fault or found or versions[0] != versions[1]:
            yield Changed(name, before.deployments.get(name), versions, commits, found)
    yield from _backing(deployment, before)


def _backing(deployment: Deployment, before: KnownGood) -> Iterator[Changed]:
    """Backing services that were to change, told as services are."""
    for change in deployment.intent.plan.changes:
        if change.action in ("provide", "upgrade") and change.differences:
            found: tuple[Difference, ...] = change.differences
            yield Changed(ServiceName(change.part), None, (None, None), (None, None), found)


def _done(
    deployment: Deployment, before: KnownGood, events: Sequence[Recorded], kept_out: Sequence[Quarantined]
) -> Iterator[str]:
    failed = [item.event for item in events if item.event.kind == "restore.failed"]
    if deployment.kind in ALONE:
        yield "nothing was replaced, and nothing had to be restored"
    elif not any(item.event.kind == "change.started" for item in events):
        yield "nothing was changed"
    elif deployment.kind == "restore" and not failed:
        yield "the data that was there before was brought back"
    else:
        yield from _all_restored(deployment, before, events)
    for event in failed:
        where = f"{event.subject}: " if event.subject else ""
        yield f"NOT restored: {where}{event.message}"
    yield from _not_undone(deployment, events)
    for entry in kept_out:
        if entry.deployment == deployment.number:
            yield (
                f"{entry.service} {entry.version} is quarantined in {deployment.environment}: "
                f"it is refused there until `ecluse quarantine {deployment.environment} --lift {entry.service}`"
                + (", or with another configuration" if entry.configuration else "")
            )


def _all_restored(deployment: Deployment, before: KnownGood, events: Sequence[Recorded]) -> Iterator[str]:
    """What was begun and is as it was: services first, then what stands behind them."""
    left = _subjects(events, "restore.failed") | _subjects(events, "backing.kept")
    restored = _subjects(events, "change.started") - left
    for step in deployment.intent.plan.steps:
        if step.service in restored:
            yield _restored(deployment, step, before)
    behind = [change.part for change in deployment.intent.plan.changes if change.action in _BEHIND]
    for name in dict.fromkeys(behind):
        if name in restored:
            yield f"{name} is as it was before"


def _subjects(events: Sequence[Recorded], kind: EventKind) -> set[str]:
    """Services and backing services that events of a kind speak of."""
    return {item.event.subject.partition("/")[0] for item in events if item.event.kind == kind}


def _not_undone(deployment: Deployment, events: Sequence[Recorded]) -> Iterator[str]:
    """What stays: irreversible tasks that ran, and backing services. What was restored stands on the data of now."""
    for item in events:
        if item.event.kind == "backing.kept":
            yield _kept(item.event)
    ended = {item.event.subject for item in events if item.event.kind == "change.done"}
    for change in deployment.intent.plan.changes:
        application = deployment.intent.applications.get(change.service) if change.service else None
        task = application.tasks.get(change.part) if application and change.action == "run" else None
        if (
            task is not None
            and not task.reversible
            and change.subject in ended
            and deployment.kind not in ALONE
        ):
            yield f"NOT undone: {change.subject} ran, and is not reversible: its data stays as the task left it"


def _kept(event: Event) -> str:
    now, before = (f"{event.data['kind']} {event.data['version']}", event.data.get("before"))
    name = event.subject
    if before is None:
        return f"NOT undone: {name} ({now}) was not there before, and stays with its data"
    if before == now:
        return f"NOT undone: {name} did not run before, and stays as this deployment made it"
    return f"NOT undone: {name} is {now} now, with all its data: its clients may have written to it since"


def _restored(deployment: Deployment, step: Step, before: KnownGood) -> str:
    old = deployment.intent.previous.get(step.service)
    if old is None and step.before is not None:
        return (
            f"NOT restored: {step.service} {step.before} ran without being on record, and stays as it is now"
        )
    if old is None:
        return f"{step.service} was not there before, and was taken away again"
    since = before.deployments.get(step.service)
    words = f"restored to {step.service} {old.release.version}"
    return f"{words}, as deployment {since} left it" if since else words


def _advice(deployment: Deployment, cause: Cause) -> Iterator[str]:
    if cause.hint:
        yield cause.hint
    if general := _ADVICE.get(cause.kind):
        yield general
    if any(deployment.intent.previous) and deployment.kind not in ALONE:
        yield from _around_the_image(deployment, cause)


def _around_the_image(deployment: Deployment, cause: Cause) -> Iterator[str]:
    """Where to look when only what surrounds the image of the service at fault has changed."""
    name = ServiceName(cause.subject.partition("/")[0])
    old, new = deployment.intent.previous.get(name), deployment.intent.applications.get(name)
    if old is None or new is None or old.release.content != new.release.content:
        return
    if not old.release.is_same(new.release):
        yield f"the image of {name} is the one that ran well: look at what changed in its service.yaml or templates"
    elif any(differences.between(old, new)):
        yield f"the image of {name} is the one that ran well: look at the configuration that changed"
