"""How data and narration are written: data on standard output, narration on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import click

INTERRUPTED = "  interrupted: no runner is at work; the next acting command starts one, which resumes it"


def say(text: str = "", *, colour: str | None = None) -> None:
    """One line of narration."""
    click.echo(paint(text, colour, err=True), err=True)


def show(text: str = "", *, colour: str | None = None) -> None:
    """One line of data."""
    click.echo(paint(text, colour, err=False))


def paint(text: str, colour: str | None, *, err: bool) -> str:
    """Colours `text` on a terminal, unless NO_COLOR is set."""
    import os

    stream = sys.stderr if err else sys.stdout
    if colour is None or "NO_COLOR" in os.environ or not stream.isatty():
        return text
    return click.style(text, fg=colour, bold=colour == "red")


def show_json(value: object) -> None:
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: object) -> object:
    """Model values as JSON knows them; a sealed secret as its fingerprint."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they need to be; the last one is not padded."""
    lines = [[str(heading).upper() for heading in headings]]
    lines += [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        show("  ".join(cells).rstrip())


def ago(moment: datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return ""
    seconds = max(0.0, (datetime.now(moment.tzinfo) - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def moment(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""
