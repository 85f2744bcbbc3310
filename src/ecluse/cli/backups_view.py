"""Backups for people: age, size, what they hold, whether they were tried."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.cli.output import ago, plain, show, table
from ecluse.model.backup import Backup, Protection

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def show_backups(environment: str, found: Sequence[Backup], protected: Sequence[Protection] = ()) -> None:
    for state in protected:
        show(f"{state.name}: {protection(state)}", colour="red" if is_unsafe(state) else None)
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
            "before a restore or a new version" if item.manifest.safety else f"asked by {item.manifest.by}",
        )
        for item in found
    ]
    table(("name", "backup", "age", "size", "kind", "databases", "restore test", "why"), rows)


def protection(item: Protection) -> str:
    """`last backup 3 h ago, restore test passed 2 d ago, next 2026-03-03 02:30`."""
    words = [f"last backup {ago(item.newest.manifest.begun)}" if item.newest else "no backup yet"]
    words.append(f"restore test {trial(item.tried) if item.tried else 'never'}")
    if item.next:
        words.append(f"next {item.next.astimezone():%Y-%m-%d %H:%M}")
    if item.failure:
        words.append(f"the last attempt FAILED: {item.failure}")
    if item.missed:
        words.append(f"missed {item.missed.astimezone():%Y-%m-%d %H:%M}")
    return ", ".join(words)


def is_unsafe(item: Protection) -> bool:
    """Whether somebody should look: the last attempt or the last test failed, or a time passed without a backup."""
    is_refuted = item.tried is not None and item.tried.tried is not None and not item.tried.tried.succeeded
    return is_refuted or item.failure is not None or item.missed is not None


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
