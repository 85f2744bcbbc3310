"""What a person should be asked about before a plan is carried out. Pure: facts in, doubts out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ecluse.errors import Refused
from ecluse.model.deployment import LedgerEntry
from ecluse.model.doubt import Doubt
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Circumstances, Plan

MOST_REMOVED = 0.5
UNKNOWN = "?"
"""A repository that cannot tell where it began: a shallow clone."""


def doubts(
    plan: Plan, *, services: Collection[ServiceName], now: Circumstances, before: Circumstances
) -> Iterator[Doubt]:
    """services: those of the product. before: the circumstances of the last deployment that succeeded."""
    removed = sum(1 for change in plan.changes if change.action == "remove")
    if plan.kind != "down" and not services and removed:
        yield Doubt("empty-product", f"the product has no services, and {_processes(removed)} would go")
    elif removes_much(plan):
        yield Doubt("removes-most", f"{removed} of the {_processes(plan.running)} that run here would go")
    yield from elsewhere(now, before)


def unrecorded(environment: EnvironmentName, services: Collection[ServiceName]) -> Iterator[Doubt]:
    """services: those that run in an environment of which nothing at all is on record."""
    if services:
        yield Doubt(
            "no-record",
            f"{', '.join(sorted(services))} run in {environment}, and no deployment of it is on record: "
            f"`ecluse adopt {environment}` takes them over as they are; else they are replaced, "
            "and passwords of databases that followed from another key are changed under them",
        )


def elsewhere(now: Circumstances, before: Circumstances) -> Iterator[Doubt]:
    """Another product's folder, or another engine, under the name of this environment."""
    if is_other_folder(now, before):
        yield Doubt(
            "other-folder",
            f"this environment was last deployed from {before.folder}, which is another product's folder or history",
        )
    if now.engine and before.engine and now.engine != before.engine:
        yield Doubt(
            "other-engine",
            f"this is not the engine of last time (it was {before.engine}, this is {now.engine}): "
            "is DOCKER_HOST what it should be?",
        )


def is_other_folder(now: Circumstances, before: Circumstances) -> bool:
    """Two clones of one repository are the same; without a repository, the path decides."""
    if not before.folder or UNKNOWN in (now.repository, before.repository):
        return False
    if now.repository and before.repository:
        return now.repository != before.repository
    return now.folder != before.folder


def removes_much(plan: Plan) -> bool:
    """Whether more than half of the processes that run would go. One that replaces the only one does not count."""
    actions = [change.action for change in plan.changes]
    removed = actions.count("remove")
    if plan.running == 1 and "create" in actions:
        return False
    return plan.kind != "down" and removed > plan.running * MOST_REMOVED


def irreversible(passed: Sequence[LedgerEntry]) -> Iterator[Doubt]:
    for entry in passed:
        yield Doubt(
            "irreversible",
            f"{entry.service}/{entry.task} ran in deployment {entry.deployment} and cannot be undone: "
            f"the older {entry.service} would find data that it does not know",
        )


def refuse(found: Sequence[Doubt], accepted: Collection[str]) -> None:
    """Refused for those that were not accepted by name."""
    left = [doubt for doubt in found if doubt.guard not in accepted]
    if left:
        listed = "\n".join(f"  - {doubt.sentence}" for doubt in left)
        flags = " ".join(f"--accept {guard}" for guard in dict.fromkeys(doubt.guard for doubt in left))
        raise Refused(f"this needs a yes of its own:\n{listed}", hint=f"when it is what you want: {flags}")


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"
