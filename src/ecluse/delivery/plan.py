"""The plan: a pure function of what is wanted, what really runs, and what is on record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields

from ecluse.delivery import differences
from ecluse.delivery.order import by_use
from ecluse.delivery.versions import is_changed, upgrade_changes
from ecluse.model.application import Application, BackingService, Desired
from ecluse.model.deployment import KnownGood, LedgerEntry
from ecluse.model.names import ServiceName
from ecluse.model.observed import BackingState, Observed
from ecluse.model.plan import Change, DeploymentKind, Difference, Plan, Step
from ecluse.model.product import BackupRule
from ecluse.model.service import Process, Task
from ecluse.model.workload import task_key, workload


def make_plan(
    desired: Desired,
    observed: Observed,
    known: KnownGood,
    ledger: Sequence[LedgerEntry],
    *,
    kind: DeploymentKind = "deploy",
    removed: Collection[ServiceName] = (),
    warnings: Collection[str] = (),
    notes: Collection[str] = (),
) -> Plan:
    """The changes that lead from `observed` to `desired`, in the order in which they are to be made.

    removed: services that should no longer run. Services in neither are left alone.
    """
    planner = _Planner(desired, observed, known, ledger)
    changes = [
        *planner.provisions(),
        *planner.entrance(),
        *(change for name in by_use(desired.applications) for change in planner.service(name)),
        *(change for name in sorted(removed) for change in planner.removal(name)),
    ]
    return Plan(
        environment=desired.target.environment,
        kind=kind,
        revision=desired.revision,
        steps=tuple(planner.steps(removed)),
        changes=tuple(changes),
        warnings=tuple(warnings),
        running=len({(replica.service, replica.process) for replica in observed.replicas}),
        notes=tuple(notes),
        dirty=desired.dirty,
    )


class _Planner:
    """One making of a plan: keeps the four inputs together."""

    def __init__(
        self, desired: Desired, observed: Observed, known: KnownGood, ledger: Sequence[LedgerEntry]
    ) -> None:
        self._desired = desired
        self._observed = observed
        self._known = known
        self._done = {(entry.service, entry.task, entry.key) for entry in ledger if entry.succeeded}

    def steps(self, removed: Collection[ServiceName]) -> Iterator[Step]:
        for name in by_use(self._desired.applications):
            after = self._desired.applications[name].release.version
            yield Step(name, self._version(name), after)
        for name in sorted(removed):
            yield Step(name, self._version(name), None)

    def provisions(self) -> Iterator[Change]:
        wanted = {name for app in self._desired.applications.values() for name in app.backing}
        running = {state.name: state for state in self._observed.backing}
        for name in sorted(wanted & set(self._desired.backing)):
            service = self._desired.backing[name]
            state = running.get(name)
            found = tuple(_backing_differences(self._known.backing.get(name), service, self._accounts(name)))
            if state is None or state.state == "exited":
                yield Change("provide", name, part=name, differences=found, note=_why_provide(state))
            elif self._is_upgraded(state, service):
                yield from upgrade_changes(state, service)
            elif found:
                yield Change("provide", name, part=name, differences=found, expects=(state.id,))

    def _is_upgraded(self, state: BackingState, service: BackingService) -> bool:
        return bool(state.version) and is_changed(state.version, service.version)

    def entrance(self) -> Iterator[Change]:
        """How the gateway answers over HTTPS, where it was told otherwise before; and what is to be made again."""
        found = tuple(differences.tls(self._observed.tls, self._desired.target.tls))
        if found or self._observed.lost:
            note = _why_again(self._observed.lost)
            yield Change("secure", "gateway", part="gateway", differences=found, note=note)

    def service(self, name: ServiceName) -> Iterator[Change]:
        application = self._desired.applications[name]
        before = self._known.applications.get(name)
        yield from self._tasks(application, "before")
        for process in application.processes.values():
            yield from self._process(before, application, process)
        yield from self._tasks(application, "after")
        yield from self._crons(before, application)
        for process_name in sorted(self._running(name) - set(application.processes)):
            yield self._retire(name, process_name)

    def removal(self, name: ServiceName) -> Iterator[Change]:
        for process in sorted(self._running(name)):
            yield self._retire(name, process)

    def _process(self, before: Application | None, after: Application, process: Process) -> Iterator[Change]:
        wanted = workload(after, process, domain=self._desired.target.domain)
        running = self._observed.of(after.service, process.name)
        same = [replica for replica in running if replica.box == wanted.box.digest]
        old = before.processes.get(process.name) if before else None
        around = differences.outside(old if running else None, process, after)
        ids = tuple(replica.id for replica in running)

        def change(action: str, found: tuple[Difference, ...], note: str | None = None) -> Change:
            return Change(
                action,  # type: ignore[arg-type]  # one of Action, by the calls below
                wanted.subject, after.service, process.name, found, ids, note=note,
            )  # fmt: skip

        if not running:
            yield change("create", (*differences.inside(None, after, process), *around))
        elif len(same) < len(running):
            inner = differences.inside(before, after, process)
            note = None if inner else "what runs is not what is on record"
            yield change("replace", (*inner, *around), note)
        elif any(replica.state == "exited" for replica in running):
            yield change("replace", around, "a replica has stopped")
        elif around or len(running) != process.replicas:
            count = Difference("replicas", str(len(running)), str(process.replicas))
            yield change("scale", around or (count,))

    def _tasks(self, application: Application, when: str) -> Iterator[Change]:
        for task in application.tasks.values():
            if task.when == when:
                key = task_key(application, task)
                if (application.service, task.name, key) not in self._done:
                    yield _task_change(application, task, key)

    def _crons(self, before: Application | None, after: Application) -> Iterator[Change]:
        old = before.crons if before else {}
        for name in sorted({*old, *after.crons}):
            if old.get(name) != after.crons.get(name):
                found = differences.crons(old.get(name), after.crons.get(name))
                yield Change("schedule", f"{after.service}/{name}", after.service, name, found)

    def _retire(self, service: ServiceName, process: str) -> Change:
        ids = tuple(replica.id for replica in self._observed.of(service, process))
        return Change("remove", f"{service}/{process}", service, process, expects=ids)

    def _running(self, name: ServiceName) -> set[str]:
        return {replica.process for replica in self._observed.of(name)}

    def _version(self, name: ServiceName) -> str | None:
        before = self._known.applications.get(name)
        running = self._observed.of(name)
        return before.release.version if before and running else running[0].version if running else None

    def _accounts(self, backing: str) -> set[ServiceName]:
        return {name for name, app in self._desired.applications.items() if backing in app.backing}


def _task_change(application: Application, task: Task, key: str) -> Change:
    note = None if task.reversible else "not reversible: a rollback past it will warn"
    return Change(
        "run", f"{application.service}/{task.name}", application.service, task.name, key=key, note=note
    )


def _backing_differences(
    before: BackingService | None, after: BackingService, clients: set[ServiceName]
) -> Iterator[Difference]:
    if before is None:
        yield Difference("version", None, f"{after.kind} {after.version}")
    for name in ("kind", "version", "image", "cpu", "memory"):
        left, right = getattr(before, name, None), getattr(after, name)
        if before is not None and left != right:
            yield Difference(name, _text(left), _text(right))
    if (left := getattr(before, "backup", None)) != after.backup:
        yield Difference("backup", _rule(left), _rule(after.backup))
    old: Mapping[ServiceName, object] = before.accounts if before else {}
    for client in sorted(clients):
        if client not in old:
            yield Difference(f"account {client}", None, after.accounts.get(client))


def _rule(rule: BackupRule | None) -> str | None:
    """`30 2 * * * UTC, keeps 1 last, 7 daily, 4 weekly, 6 monthly, tests weekly`."""
    if rule is None:
        return None
    kept = ", ".join(f"{getattr(rule.keep, field.name)} {field.name}" for field in fields(rule.keep))
    return f"{rule.schedule} {rule.timezone}, keeps {kept}, tests {rule.test}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _why_again(lost: Collection[str]) -> str | None:
    proxies = " and ".join(f"the {name}" for name in lost)
    return f"{proxies} can be told nothing any more: made again, a moment without answers" if lost else None


def _why_provide(state: object) -> str | None:
    return "it has stopped" if state is not None else None
