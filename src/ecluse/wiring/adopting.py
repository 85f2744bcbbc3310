"""Takes over what runs in an environment when its record is gone: from containers, images and the product's files.

What runs and is just what the product's files say becomes known good, and is not touched. The rest is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecluse.errors import Busy, NotFound
from ecluse.model.application import Target
from ecluse.model.deployment import KnownGood, LedgerEntry
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Change
from ecluse.model.product import Environment
from ecluse.model.release import Release
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal, Wish, observe, propose_releases
from ecluse.wiring.recollection import READ_BACK, Inside, recollect
from ecluse.wiring.state import ProductState

_TOUCHING = frozenset({"create", "replace", "remove"})
_DONE_ALREADY = frozenset({"run", "scale"})
_NOTHING = KnownGood({}, {}, {})


@dataclass(frozen=True, slots=True)
class Adoption:
    """What would be recorded. ran: release tasks that must have run, for what they prepared runs. left_alone: what is
    not as the product's files say, and why."""

    proposal: Proposal
    ran: tuple[Change, ...]
    left_alone: tuple[str, ...]

    @property
    def services(self) -> list[ServiceName]:
        return sorted(self.proposal.intent.applications)

    def enter(self, number: int) -> None:
        """Records the tasks, as run by deployment `number`."""
        state, intent = self.proposal.state, self.proposal.intent
        for change in self.ran:
            assert change.service is not None, f"{change.id} names no service"
            task = intent.applications[change.service].tasks[change.part]
            entry = LedgerEntry(
                change.service,
                task.name,
                change.key,
                number,
                state.clock.now(),
                task.reversible,
                succeeded=True,
            )
            state.records.enter(intent.target.environment, entry)


def recover_key(product: OpenProduct, target: Target) -> bool:
    """Brings the key of the vault back from the engine, where it is missing here. Before the state is opened."""
    import asyncio

    from ecluse.secrets.vault import put_back_key

    folder = product.settings.product_state(product.product.name)
    if (folder / "key").exists():
        return False
    key = asyncio.run(_keepsake(product.reading, target))
    return key is not None and put_back_key(folder, key)


async def _keepsake(state: ProductState, target: Target) -> bytes | None:
    engine = state.engine()
    try:
        return await engine.keepsake(target)
    finally:
        await engine.close()


async def propose_adoption(product: OpenProduct, environment: Environment, state: ProductState) -> Adoption:
    """Reads only. NotFound when nothing runs; Busy when something is on record already that goes on."""
    target = product.target(environment)
    if any(item.environment == environment.name for item in state.records.unfinished()):
        raise Busy(
            f"a deployment of {environment.name} is under way", hint=f"ecluse status {environment.name}"
        )
    observed = await observe(state, target)
    chosen = _running(product, observed)
    if not chosen:
        raise NotFound(f"nothing of {target.product} runs in {environment.name}")
    secrets = Inside(await recollect(state, target, chosen), product.secrets({}))
    wanted = Wish(environment, (), everything=False, kind="adopt")
    every = await propose_releases(product, wanted, state, _NOTHING, chosen, secrets=secrets)
    others = {change.service for change in _touching(every, observed)}
    same = {name: release for name, release in chosen.items() if name not in others}
    proposal = await propose_releases(product, wanted, state, _NOTHING, same, secrets=secrets)
    intent = proposal.intent
    ran = tuple(change for change in intent.plan.changes if change.action == "run")
    left = tuple(change for change in intent.plan.changes if change.action not in _DONE_ALREADY)
    plan = replace(intent.plan, changes=left)
    # those that are left alone keep their names and public hosts
    around = {name: app for name, app in every.intent.applications.items() if name in others}
    proposal = replace(proposal, intent=replace(intent, plan=plan, others=around), refusals=(), doubts=())
    return Adoption(proposal, ran, tuple(_why(every, observed, product)))


def _running(product: OpenProduct, observed: Observed) -> dict[ServiceName, Release]:
    """The release of each service that runs: of the newest replica, where there are two."""
    found = {}
    for replica in sorted(observed.replicas, key=lambda item: (item.started is not None, str(item.started))):
        if replica.service in product.product.services:
            found[replica.service] = product.catalogue.image(
                replica.service, replica.image_id, replica.version
            )
    return found


def _touching(every: Proposal, observed: Observed) -> list[Change]:
    """What would change something that runs. Nothing is on record, so that a plan tells more than what differs."""
    return [
        change
        for change in every.plan.changes
        if change.action in _TOUCHING or (change.action == "scale" and _is_short(every, observed, change))
    ]


def _is_short(every: Proposal, observed: Observed, change: Change) -> bool:
    assert change.service is not None, f"{change.id} names no service"
    wanted = every.intent.applications[change.service].processes[change.part].replicas
    return len(observed.of(change.service, change.part)) != wanted


def _read_back(every: Proposal, service: ServiceName) -> list[str]:
    settings = every.intent.applications[service].settings
    return [item.key for item in settings if item.origin.layer == READ_BACK]


def _why(every: Proposal, observed: Observed, product: OpenProduct) -> list[str]:
    sentences = [
        f"{change.subject} does not run as the product's files say: a deployment would {change.action} it"
        for change in _touching(every, observed)
    ]
    sentences += [
        f"{name} will need its secrets once more, in the file of --secrets: {', '.join(keys)}"
        for name in sorted({change.service for change in _touching(every, observed) if change.service})
        if (keys := _read_back(every, name))
    ]
    strangers = {item.service for item in observed.replicas} - set(product.product.services)
    told = "is no service of the product: it goes on, and is not on record"
    return sentences + [f"{name} {told}" for name in sorted(strangers)]
