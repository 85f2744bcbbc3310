"""Backups for people: age, size, what they hold, whether they were tried."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.cli.output import ago, plain, show, table
from ecluse.model.backup import Backup

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def show_backups(environment: str, found: Sequence[Backup]) -> None:
    if not found:
        show(f"{environment}: there are no backups; `ecluse backup {environment}` makes one")
        return
    rows = [
        (
            item.manifest.name,
            item.manifest.id,
            ago(item.manifest.begun),
            size(item.size),
            f"{item.manifest.kind} {item.manifest.version}",
            ", ".join(item.databases) or "nothing",
            trial(item),
            "before a restore" if item.manifest.safety else f"asked by {item.manifest.by}",
        )
        for item in found
    ]
    table(("name", "backup", "age", "size", "kind", "databases", "restore test", "why"), rows)


def trial(item: Backup) -> str:
    if item.tried is None:
        return "never"
    if not item.tried.succeeded:
        return f"FAILED {ago(item.tried.at)}: {item.tried.detail}"
    return f"passed {ago(item.tried.at)}"


def backup_facts(item: Backup) -> dict[str, object]:
    """What `--json` tells of a backup."""
    facts = plain(item.manifest)
    assert isinstance(facts, dict)
    return facts | {"size": item.size, "databases": item.databases, "tried": item.tried}


def size(number: float) -> str:
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"
