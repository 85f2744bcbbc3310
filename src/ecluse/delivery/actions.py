"""What each change of a plan asks of the engine, and what undoes it. Every action may run twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ecluse.model.application import Application, BackingService
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change, Intent
from ecluse.model.service import Introduction
from ecluse.model.workload import Workload, find_command, task_run, workload
from ecluse.ports import Engine

Applications = Mapping[ServiceName, Application]
_MAKING = frozenset({"create", "replace", "scale"})
_ON_WHAT_RUNS = frozenset({"replace", "scale"})


def prepare(engine: Engine, intent: Intent, around: Iterable[Applications]) -> AsyncIterator[Event]:
    """Makes room for what the plan brings, without taking away what it will remove, nor what is `around` it."""
    return _room(engine, intent, (*around, intent.previous, intent.applications))


def settle(
    engine: Engine, intent: Intent, applications: Applications, around: Iterable[Applications]
) -> AsyncIterator[Event]:
    """Leaves the names and hosts of what is there in the end, and no other."""
    return _room(engine, intent, (*around, applications))


def _room(engine: Engine, intent: Intent, found: Iterable[Applications]) -> AsyncIterator[Event]:
    """For all that was found; what is later counts where two speak of the same."""
    domain = intent.target.domain
    merged = {item.subject: item for applications in found for item in workloads(applications, domain)}
    return engine.prepare(intent.target, list(merged.values()))


def confirm(engine: Engine, intent: Intent, *, since: datetime) -> AsyncIterator[Event]:
    """Looks again at what the plan made."""
    made = [change for change in intent.plan.changes if change.action in _MAKING]
    provided = [change.part for change in intent.plan.changes if change.action == "provide"]
    domain = intent.target.domain
    return engine.confirm(
        intent.target,
        [_workload(intent.applications, change, domain) for change in made],
        [intent.backing[name] for name in provided],
        since=since,
    )


def apply(engine: Engine, intent: Intent, change: Change) -> AsyncIterator[Event]:
    target = intent.target
    match change.action:
        case "provide" | "revoke":
            return engine.provide(target, intent.backing[change.part])
        case "rotate":
            return engine.provide(target, beside(intent, change.part))
        case "withdraw":
            return engine.withdraw(target, change.part)
        case "create" | "replace" | "scale":
            wanted = _workload(intent.applications, change, target.domain)
            return engine.rollout(target, _at_once(wanted) if intent.plan.kind == "rollback" else wanted)
        case "remove":
            return engine.retire(target, _service(change), change.part)
        case "run":
            application = intent.applications[_service(change)]
            task = find_command(application, change.part)
            assert task is not None, f"{change.id} names no task"
            return engine.run(target, task_run(application, task, key=change.key))
        case "schedule" | "secure" | "erase":
            # crons are read from the record; the gateway was made ready before the first change
            return _nothing()
        case "dump" | "load" | "rehearse" | "prune" | "upgrade":
            raise AssertionError(f"{change.id} is for delivery/copies.py")
    assert_never(change.action)


def lasts(intent: Intent, change: Change) -> bool:
    """Whether what it does to a backing service stays, whatever becomes of the deployment: its clients may have
    written to another version; and what did not run before has no earlier form to come back to."""
    if change.action == "provide":
        return not (change.expects and change.part in intent.previous_backing)
    return change.action == "upgrade"


def undo(engine: Engine, intent: Intent, change: Change) -> AsyncIterator[Event] | None:
    """What brings back what `change` replaced; None where there is nothing to bring back."""
    target = intent.target
    match change.action:
        case "create" | "replace" | "scale" | "remove":
            before = intent.previous.get(_service(change))
            if before is None or change.part not in before.processes:
                if change.action in _ON_WHAT_RUNS:
                    # it ran without being on record: nobody can make it again, and nobody is to stop it
                    return None
                return engine.retire(target, _service(change), change.part)
            return engine.rollout(target, _at_once(_workload(intent.previous, change, target.domain)))
        case "provide":
            if lasts(intent, change):
                return None
            return engine.provide(target, intent.previous_backing[change.part])
        case "rotate":
            return engine.provide(target, intent.previous_backing[change.part])
        case "revoke":
            return engine.provide(target, beside(intent, change.part))
        case (
            "run"
            | "schedule"
            | "secure"
            | "withdraw"
            | "erase"
            | "dump"
            | "load"
            | "rehearse"
            | "prune"
            | "upgrade"
        ):
            return None
    assert_never(change.action)


def left(intent: Intent) -> dict[ServiceName, Application]:
    """What is there when all is undone: what was on record, and what ran without being so."""
    ran = {change.service for change in intent.plan.changes if change.action in _ON_WHAT_RUNS}
    unknown = {name: app for name, app in intent.applications.items() if name in ran}
    return unknown | dict(intent.previous)


def beside(intent: Intent, name: str) -> BackingService:
    """The backing service with its new passwords, and those of before beside them."""
    before, after = intent.previous_backing[name], intent.backing[name]
    former = {
        client: text
        for client, text in before.accounts.items()
        if after.accounts.get(client) not in (None, text)
    }
    return replace(after, former=former)


def workloads(applications: Applications, domain: str) -> Iterator[Workload]:
    for application in applications.values():
        for process in application.processes.values():
            yield workload(application, process, domain=domain)


def _workload(applications: Applications, change: Change, domain: str) -> Workload:
    application = applications[_service(change)]
    return workload(application, application.processes[change.part], domain=domain)


def _at_once(wanted: Workload) -> Workload:
    """What comes back is known: it gets all traffic, and is not judged by what was bad enough to leave."""
    return replace(wanted, spec=replace(wanted.spec, rollout=Introduction(judge=False)))


def _service(change: Change) -> ServiceName:
    assert change.service is not None, f"{change.id} names no service"
    return change.service


async def _nothing() -> AsyncIterator[Event]:
    return
    yield
