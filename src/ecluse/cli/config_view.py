"""Configuration for people and for programs: values, where they are from, and what differs. Shows no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ecluse.cli.output import paint, show, table
from ecluse.model.application import Origin
from ecluse.model.secret import Sealed, Text

if TYPE_CHECKING:
    from ecluse.config.change import Touched
    from ecluse.config.git import Commit
    from ecluse.config.parity import Disparity
    from ecluse.config.sight import Seen

SECRET = "(a secret)"
LONGEST = 60
Author = Callable[[Origin], "Commit | None"]


def short(text: Text | None) -> str:
    """One line of a value."""
    if text is None:
        return "(no value)"
    if isinstance(text, Sealed):
        return SECRET
    first, *more = text.splitlines() or ['""']
    if more:
        return f"({len(more) + 1} lines)"
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 1]}…"


def show_values(values: Sequence[Seen]) -> None:
    rows = [(one.name.removeprefix("app."), short(one.text), one.origin or "") for one in values]
    table(("key", "value", "from"), rows)


def value_facts(seen: Seen) -> dict[str, object]:
    """A value for programs: no text, and no fingerprint, of a secret."""
    return {
        "name": seen.name,
        "value": None if isinstance(seen.text, Sealed) else seen.text,
        "secret": seen.is_secret,
        "given": seen.text is not None,
        "origin": origin_facts(seen.origin),
        "written": seen.written,
        "beaten": [{"value": one.shown, "origin": origin_facts(one.origin)} for one in seen.beaten],
        "through": [value_facts(one) for one in seen.through],
        "reason": seen.reason,
    }


def origin_facts(origin: Origin | None) -> dict[str, object] | None:
    if origin is None:
        return None
    return {"layer": origin.layer, "file": origin.location.file, "line": origin.location.line}


def commit_facts(commit: Commit | None) -> dict[str, object] | None:
    if commit is None:
        return None
    return {"commit": commit.id, "author": commit.author, "at": commit.at, "subject": commit.subject}


def authored(seen: Seen, author: Author) -> dict[str, object]:
    """`value_facts` with the commit of each line, on the way too."""
    facts = value_facts(seen)
    facts["commit"] = commit_facts(author(seen.origin)) if seen.origin else None
    facts["through"] = [authored(one, author) for one in seen.through]
    return facts


def show_explained(seen: Seen, author: Author, *, title: str) -> None:
    show(f"{title}: {_whole(seen.text)}")
    for line in _explained(seen, author, depth=1):
        show(line)


def commit_words(commit: Commit | None) -> str:
    return (
        f"{commit.short} {commit.author} {commit.at:%Y-%m-%d}, {commit.subject}"
        if commit
        else "not committed"
    )


def _explained(seen: Seen, author: Author, *, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if seen.origin:
        yield f"{pad}from     {seen.origin}"
        if seen.origin.location.line:
            yield f"{pad}         {commit_words(author(seen.origin))}"
    if seen.written is not None and seen.through:
        yield f"{pad}written  {seen.written}"
    for beaten in seen.beaten:
        words = SECRET if beaten.shown is None else short(beaten.shown)
        yield f"{pad}beats    {words}    of {beaten.origin}"
    if seen.reason:
        yield f"{pad}because  {seen.reason}"
    for one in seen.through:
        yield f"{pad}through  ${{{one.name}}}: {short(one.text)}"
        yield from _explained(one, author, depth=depth + 1)


def _whole(text: Text | None) -> str:
    return text if isinstance(text, str) and text else short(text)


def show_disparities(found: Sequence[Disparity], left: str, right: str) -> None:
    """Grouped by service; what nobody explains is marked."""
    for one in _grouped(found):
        marked = paint(one.reason or "UNEXPLAINED", None if one.reason else "red", err=False)
        show(f"  {one.name.removeprefix('app.')}  {_sides(one)}    {marked}")
        if one.left.origin and one.left.origin == one.right.origin:
            show(f"      {one.left.origin}")
            continue
        for side, seen in ((left, one.left), (right, one.right)):
            if seen.origin:
                show(f"      {side}: {seen.origin}")


def show_changes(found: Sequence[Disparity], author: Author) -> None:
    """What changed over time: before, after, and who wrote what is there now."""
    for one in _grouped(found):
        show(f"  {one.name.removeprefix('app.')}  {_sides(one)}")
        if origin := one.right.origin:
            show(f"      {origin}, {commit_words(author(origin))}")


def _grouped(found: Sequence[Disparity]) -> Iterator[Disparity]:
    group: object = ""
    for one in found:
        if one.service != group:
            group = one.service
            show()
            show(str(one.service or "ecluse.yaml"))
        yield one


def _sides(one: Disparity) -> str:
    left, right = one.left, one.right
    if left.is_secret and right.is_secret and left.text is not None and right.text is not None:
        return "a secret, another one"
    return f"{short(left.text)} → {short(right.text)}"


def disparity_facts(one: Disparity) -> dict[str, object]:
    return {
        "service": one.service,
        "name": one.name,
        "left": value_facts(one.left),
        "right": value_facts(one.right),
        "reason": one.reason,
        "explained": one.reason is not None,
    }


def show_touched(touched: Sequence[Touched]) -> None:
    for one in touched:
        before, after = (side.text if side else None for side in (one.before, one.after))
        words = "a secret, changed" if isinstance(after, Sealed) else f"{short(before)} → {short(after)}"
        through = one.after.through if one.after else ()
        way = f"    through {', '.join(f'${{{seen.name}}}' for seen in through)}" if through else ""
        show(f"{one.environment}/{one.service}  {one.name.removeprefix('app.')}  {words}{way}")


def touched_facts(one: Touched) -> dict[str, object]:
    return {
        "environment": one.environment,
        "service": one.service,
        "name": one.name,
        "before": value_facts(one.before) if one.before else None,
        "after": value_facts(one.after) if one.after else None,
    }
