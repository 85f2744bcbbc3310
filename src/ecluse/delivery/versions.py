"""Changes of the version of a backing service: what they take, and which are refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ecluse.model.application import BackingService
from ecluse.model.observed import BackingState
from ecluse.model.plan import Change, Difference


def is_changed(before: str, after: str) -> bool:
    """Whether data has to move. `10` and `10.11` are the same: one says more of it."""
    return not (f"{before}.".startswith(f"{after}.") or f"{after}.".startswith(f"{before}."))


def is_older(version: str, than: str) -> bool:
    """Whether a server of `version` may not read what one of `than` wrote."""
    return is_changed(than, version) and _number(version) < _number(than)


def upgrade_changes(state: BackingState, after: BackingService) -> Iterator[Change]:
    """A backup, a trial of the new version with it, then the change itself."""
    name = after.name
    yield Change("dump", name, part=name, note="a backup first")
    yield Change(
        "rehearse", name, part=name, note=f"a trial of {after.kind} {after.version} with that backup"
    )
    yield Change(
        "upgrade",
        name,
        part=name,
        differences=(
            Difference("version", f"{state.kind} {state.version}", f"{after.kind} {after.version}"),
        ),
        expects=(state.id,),
        note="its clients cannot reach it while the data is copied; the old volume is left as it is",
    )


def refusals(
    running: Mapping[str, BackingState],
    known: Mapping[str, BackingService],
    after: Mapping[str, BackingService],
) -> Iterator[str]:
    """What cannot be done to data: going back, and becoming something else."""
    for name, item in sorted(after.items()):
        state = running.get(name)
        kind, version = (state.kind, state.version) if state else _known(known.get(name))
        if not kind:
            continue
        if kind != item.kind:
            yield f"{name}: {kind} cannot become {item.kind}; give the new one another name, and move the data"
        elif is_older(item.version, version):
            yield (
                f"{name}: {kind} {version} cannot go back to {item.version}: an older server does not read the data "
                "of a newer one; give the older one another name, and bring a backup of that version there"
            )
        elif state and name not in known and is_changed(version, item.version):
            yield (
                f"{name}: {kind} {version} runs, and is not on record: deploy with that version first, then change it"
            )


def _known(item: BackingService | None) -> tuple[str, str]:
    return (item.kind, item.version) if item else ("", "")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
