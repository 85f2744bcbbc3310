"""A plan for people: what would change, per service, down to each key, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ecluse.cli.output import paint, say, show
from ecluse.model.names import ServiceName
from ecluse.model.plan import Action, Change, Difference, Plan
from ecluse.model.secret import Sealed, Text

_MARKS: dict[Action, tuple[str, str]] = {
    "provide": ("+", "green"),
    "create": ("+", "green"),
    "replace": ("~", "yellow"),
    "scale": ("~", "yellow"),
    "schedule": ("~", "yellow"),
    "secure": ("~", "yellow"),
    "run": (">", "cyan"),
    "remove": ("-", "red"),
    "withdraw": ("-", "red"),
    "erase": ("-", "red"),
    "dump": ("+", "green"),
    "load": ("~", "yellow"),
    "rehearse": (">", "cyan"),
    "prune": ("-", "red"),
    "upgrade": ("~", "yellow"),
    "rotate": ("~", "yellow"),
    "revoke": ("-", "red"),
}
LONGEST_TEXT = 60


def show_plan(plan: Plan) -> None:
    """One line when there is nothing to do; otherwise each change with its reasons, then a count."""
    if plan.is_empty:
        show(f"{plan.environment}: nothing to do ({_count(len(plan.steps), 'service')} as wanted)")
    else:
        show(f"{plan.kind} {plan.environment}, configuration {plan.revision or 'as it was'}")
        for line in _moves(plan):
            show(line)
        was_long = True
        for change in plan.changes:
            if was_long or change.differences:
                show()
            was_long = bool(change.differences)
            _show_change(change)
        show()
        show(_summary(plan))
    for note in plan.notes:
        show(note)
    for warning in plan.warnings:
        show(f"warning: {warning}", colour="yellow")


def show_newer(newer: Mapping[ServiceName, str]) -> None:
    """Newer releases that nobody asked for: without a version, a service stays at the one that runs."""
    if newer:
        listed = ", ".join(f"{service} {version}" for service, version in newer.items())
        words = " ".join(f"{service}=latest" for service in newer)
        say(f"newer, and not asked for: {listed} (to bring: {words})")


def _moves(plan: Plan) -> Iterator[str]:
    width = max((len(step.service) for step in plan.steps), default=0)
    for step in plan.steps:
        if step.before != step.after:
            before, after = step.before or "(not there)", step.after or "(removed)"
            yield f"  {step.service.ljust(width)}  {before} → {after}"


def _show_change(change: Change) -> None:
    mark, colour = _MARKS[change.action]
    note = f"  ({change.note})" if change.note else ""
    show(paint(f"{mark} {change.action} {change.subject}", colour, err=False) + note)
    width = max((len(item.what) for item in change.differences), default=0)
    for difference in change.differences:
        show(f"    {difference.what.ljust(width)}  {describe(difference)}")


def describe(difference: Difference) -> str:
    """`before → after`, and where the new value comes from. A secret shows only that it changed."""
    before, after = difference.before, difference.after
    if isinstance(before, Sealed) or isinstance(after, Sealed):
        words = (
            "a secret, new" if before is None else "a secret, gone" if after is None else "a secret, changed"
        )
    elif before is None:
        words = _short(after)
    else:
        words = f"{_short(before)} → {_short(after)}"
    return f"{words}    from {difference.origin}" if difference.origin else words


def _short(text: Text | None) -> str:
    words = "(none)" if text is None else str(text) or '""'
    first, *more = words.splitlines() or [""]
    if more:
        return f"({len(more) + 1} lines)"
    return first if len(first) <= LONGEST_TEXT else f"{first[: LONGEST_TEXT - 1]}…"


def _summary(plan: Plan) -> str:
    counts = Counter(change.action for change in plan.changes)
    listed = ", ".join(f"{count} to {action}" for action, count in counts.items())
    return f"{_count(len(plan.changes), 'change')}: {listed}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
