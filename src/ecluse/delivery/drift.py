"""What a saved plan can no longer be applied for: its changes against those that would be needed now. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ecluse.model.plan import Change, Plan


def drift(saved: Plan, now: Plan) -> list[str]:
    """One sentence for each change that what happened since has touched; none when the plan still holds.

    Whatever happened to services that are not in the plan touches none of its changes.
    """
    return [*_gone(saved, now), *_new(saved, now)]


def _gone(saved: Plan, now: Plan) -> Iterator[str]:
    same = {change.id: change for change in now.changes}
    wanted = {change.subject: change for change in now.changes}
    for change in saved.changes:
        other = same.get(change.id) or wanted.get(change.subject)
        if other is None:
            yield f"{change.id}: nothing is left to do, it is as the plan would make it"
        elif other.action != change.action:
            yield f"{change.id}: it would be {other.action} now{_note(other)}"
        elif other.expects != change.expects:
            yield f"{change.id}: what it acts on is not there any more ({_identities(change)}), others are"
        elif other.key != change.key:
            yield f"{change.id}: it would be another run now"
        elif other.differences != change.differences:
            yield f"{change.id}: it would change something else now ({_touched(change, other)})"


def _new(saved: Plan, now: Plan) -> Iterator[str]:
    known = {change.id for change in saved.changes}
    needed = {change.id for change in now.changes}
    told = {change.subject for change in saved.changes if change.id not in needed}
    for change in now.changes:
        if change.id not in known and change.subject not in told:
            yield f"{change.id}: it was not in the plan, and would be needed now{_note(change)}"


def _touched(before: Change, after: Change) -> str:
    unlike = {*before.differences} ^ {*after.differences}
    return ", ".join(sorted({difference.what for difference in unlike}))


def _identities(change: Change) -> str:
    return ", ".join(identity[:12] for identity in change.expects) or "nothing was there"


def _note(change: Change) -> str:
    return f" ({change.note})" if change.note else ""
