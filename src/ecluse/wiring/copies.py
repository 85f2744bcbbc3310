"""From the words of `backup`, `backups` and `restore` to an intent. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ecluse.delivery import versions
from ecluse.errors import NotFound, Refused, nearest
from ecluse.model.application import BackingService
from ecluse.model.backup import Backup, BackupId, backup_stamp
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import Change, DeploymentKind, Intent, Plan
from ecluse.model.product import Environment
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal
from ecluse.wiring.state import ProductState

LATEST = "latest"


def propose_backup(
    product: OpenProduct, environment: Environment, name: str | None, state: ProductState
) -> Proposal:
    """The intent to copy one backing service, or all that the environment runs."""
    chosen = _chosen(state, environment.name, name)
    stamp = backup_stamp(state.clock.now())
    changes = [_dump(environment.name, item, stamp) for item in chosen]
    return _proposal(product, environment, "backup", changes, chosen, state)


def propose_restore(
    product: OpenProduct,
    environment: Environment,
    name: str | None,
    state: ProductState,
    *,
    backup: str = LATEST,
    source: Environment | None = None,
) -> Proposal:
    """The intent to bring data back, after a copy of what is there now. A damaged backup is Refused here."""
    origin = source or environment
    chosen = _chosen(state, environment.name, name)
    stamp = backup_stamp(state.clock.now())
    safety, loads = [], []
    for item in chosen:
        found = find_backup(state, origin.name, item.name, backup)
        _check_fit(item, found)
        state.backups.copy(found.id).verify()
        safety.append(_dump(environment.name, item, stamp, note="a copy of what is there now"))
        note = f"what changed in {item.name} since {_when(found)} is lost; {_meanwhile(item)}"
        loads.append(Change("load", item.name, part=item.name, key=str(found.id), note=note))
    return _proposal(product, environment, "restore", [*safety, *loads], chosen, state)


def propose_trial(
    product: OpenProduct,
    environment: Environment,
    name: str | None,
    state: ProductState,
    *,
    backup: str = LATEST,
) -> Proposal:
    """The intent to load a backup into a container that is thrown away."""
    chosen = _chosen(state, environment.name, name)
    changes = []
    for item in chosen:
        found = find_backup(state, environment.name, item.name, backup)
        _check_fit(item, found)
        changes.append(Change("rehearse", item.name, part=item.name, key=str(found.id)))
    return _proposal(product, environment, "restore-test", changes, chosen, state)


def find_backup(state: ProductState, environment: EnvironmentName, name: str, wanted: str) -> Backup:
    """The one whose time begins with `wanted`, or the newest that no restore made for safety."""
    found = state.backups.list(environment, name)
    if wanted == LATEST:
        regular = [item for item in found if not item.manifest.safety]
        if not regular:
            raise NotFound(
                f"there is no backup of {name} in {environment}", hint=f"ecluse backup {environment} {name}"
            )
        return regular[0]
    matching = [item for item in found if item.manifest.id.startswith(wanted)]
    if len(matching) != 1:
        problem = "no backup" if not matching else f"{len(matching)} backups"
        hint = nearest(wanted, [item.manifest.id for item in found])
        raise NotFound(f"{problem} of {name} in {environment} of the time {wanted}", hint=hint)
    return matching[0]


def restore_doubts(
    state: ProductState, proposal: Proposal, environment: Environment, source: Environment | None
) -> tuple[str, ...]:
    """What a person should know before saying yes."""
    doubts = []
    for change in proposal.plan.changes:
        if change.action == "load":
            doubts.append(f"{change.subject} of {environment.name}: {change.note}")
    if source is not None and source.name != environment.name:
        doubts.append(f"the data of {source.name} will be in {environment.name}, for all who may read there")
    return tuple(doubts)


def _proposal(
    product: OpenProduct,
    environment: Environment,
    kind: DeploymentKind,
    changes: Sequence[Change],
    chosen: Collection[BackingService],
    state: ProductState,
) -> Proposal:
    plan = Plan(environment.name, kind, "", (), tuple(changes))
    target = state.target(environment.name) or product.target(environment)
    backing = {item.name: item for item in chosen}
    return Proposal(Intent(target, plan, {}, {}, backing=backing), state)


def _chosen(state: ProductState, environment: EnvironmentName, name: str | None) -> list[BackingService]:
    known = state.records.known_good(environment).backing
    if name is not None and name not in known:
        raise NotFound(f"no backing service {name!r} runs in {environment}", hint=nearest(name, known))
    if not known:
        raise NotFound(f"no backing service runs in {environment}", hint=f"ecluse deploy {environment}")
    return [item for item in known.values() if name in (None, item.name)]


def _dump(
    environment: EnvironmentName, item: BackingService, stamp: str, *, note: str | None = None
) -> Change:
    key = str(BackupId(environment, item.name, stamp))
    return Change("dump", item.name, part=item.name, key=key, note=note)


def _check_fit(item: BackingService, backup: Backup) -> None:
    if item.kind != backup.manifest.kind:
        raise Refused(f"{backup.id} is of {backup.manifest.kind}, and {item.name} is {item.kind} now")
    if versions.is_older(item.version, backup.manifest.version):
        raise Refused(
            f"{backup.id} is of {item.kind} {backup.manifest.version}, and {item.name} is {item.version}: "
            "an older server does not read the data of a newer one",
            hint=f"give {item.name} the version {backup.manifest.version} first",
        )


def _when(backup: Backup) -> str:
    return backup.manifest.begun.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _meanwhile(item: BackingService) -> str:
    match item.kind:
        case "postgresql":
            return "its clients lose their connections for a moment, at the end"
        case "redis":
            return "its clients see errors while it starts again"
        case _:
            return "its clients see errors, or part of the data, until it is done"
