"""Takes over what runs in an environment when its record is gone: from containers, images and the product's files.

What runs and is just what the product's files say becomes known good, and is not touched. The rest is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from ecluse.errors import Busy, NotFound, Refused
from ecluse.model.deployment import KnownGood, LedgerEntry
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Change, Intent
from ecluse.model.product import Environment
from ecluse.model.release import Release
from ecluse.model.workload import workload
from ecluse.ports import Engine
from ecluse.wiring.passwords_in_use import InUse, retain
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
    not as the product's files say, and why. unmarked: services that run as the files say, under marks that follow from
    another key: the next deployment replaces them. kept: backing services whose passwords follow from another key."""

    proposal: Proposal
    ran: tuple[Change, ...]
    left_alone: tuple[str, ...]
    unmarked: tuple[ServiceName, ...] = ()
    kept: tuple[str, ...] = ()

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


async def find_running(product: OpenProduct, environment: Environment) -> Observed:
    """What there is to take over. Before the state is opened: NotFound when nothing runs, Busy when a deployment goes
    on, Refused when all that runs is on record."""
    target, records = product.target(environment), product.reading.records
    if any(item.environment == environment.name for item in records.unfinished()):
        raise Busy(
            f"a deployment of {environment.name} is under way", hint=f"ecluse status {environment.name}"
        )
    observed = await observe(product.reading, target)
    services = {item.service for item in observed.replicas}
    if not services:
        raise NotFound(
            f"nothing of {target.product} runs in {environment.name} for the state directory "
            f"{product.settings.state_root}",
            hint=f"set ECLUSE_STATE if it was another one; `ecluse deploy {environment.name}` brings releases",
        )
    if not services & set(product.product.services):
        raise NotFound(
            f"what runs in {environment.name} is no service of the product's files: {', '.join(sorted(services))}",
            hint="a service needs its folder under services/, or an entry in ecluse.yaml",
        )
    if services <= set(records.known_good(environment.name).applications):
        raise Refused(
            f"all that runs in {environment.name} is on record: nothing was lost",
            hint=f"`ecluse plan {environment.name}` shows what differs from the product's files",
        )
    return observed


async def propose_adoption(
    product: OpenProduct, environment: Environment, observed: Observed, state: ProductState
) -> Adoption:
    """From what runs, as `find_running` gave it. Reads only."""
    target = product.target(environment)
    chosen, missing = _running(product, observed)
    running = await recollect(state, target, chosen)
    secrets = Inside(running, product.secrets({}))
    wanted = Wish(environment, (), everything=False, kind="adopt")
    every = await propose_releases(product, wanted, state, _NOTHING, chosen, secrets=secrets)
    every.require_readable()
    in_use = await retain(state, every.intent, observed, running, secrets)
    if in_use.backing:
        every = await propose_releases(
            product, wanted, state, _NOTHING, chosen, secrets=secrets, in_use=in_use.backing
        )
    unmarked = await _unmarked(state, every, observed)
    others = {change.service for change in _touching(every, observed)} - unmarked
    same = {name: release for name, release in chosen.items() if name not in others}
    proposal = await propose_releases(
        product, wanted, state, _NOTHING, same, secrets=secrets, in_use=in_use.backing
    )
    intent = proposal.intent
    ran = tuple(change for change in intent.plan.changes if change.action == "run")
    left = tuple(
        change
        for change in intent.plan.changes
        if change.action not in _DONE_ALREADY
        and not (change.action == "replace" and change.service in unmarked)
        and not (change.action == "provide" and _would_lock_out(intent, change.part, in_use))
    )
    plan = replace(intent.plan, changes=tuple(map(_as_it_is, left)))
    # those that are left alone keep their names and public hosts
    around = {name: app for name, app in every.intent.applications.items() if name in others}
    intent = replace(intent, plan=plan, others=around, backing=in_use.without_unknown(intent.backing))
    return Adoption(
        replace(proposal, intent=intent, refusals=(), doubts=()),
        ran,
        (*_why(every, observed, product, others), *_unlabelled(missing), *_untold(in_use)),
        tuple(sorted(unmarked)),
        tuple(sorted(in_use.backing)),
    )


async def _unmarked(state: ProductState, every: Proposal, observed: Observed) -> set[ServiceName]:
    """Services that would be replaced for their marks alone: all of each runs just as the product's files say."""
    found: dict[ServiceName, set[str]] = {}
    for change in _touching(every, observed):
        assert change.service is not None, f"{change.id} names no service"
        found.setdefault(change.service, set()).add(change.action)
    engine = state.engine()
    try:
        return {
            service
            for service, actions in found.items()
            if actions == {"replace"} and await _resembles(engine, every.intent, service)
        }
    finally:
        await engine.close()


async def _resembles(engine: Engine, intent: Intent, service: ServiceName) -> bool:
    application = intent.applications[service]
    return all(
        [
            await engine.resembles(intent.target, workload(application, process, domain=intent.target.domain))
            for process in application.processes.values()
        ]
    )


def _as_it_is(change: Change) -> Change:
    """A backing service that runs is told again what it knows."""
    if change.action != "provide" or not change.expects:
        return change
    return replace(change, differences=(), note="it runs: it is told again what it knows")


def _would_lock_out(intent: Intent, backing: str, in_use: InUse) -> bool:
    """A redis has one list of passwords: to say it without one that is in use would take that one away."""
    return intent.backing[backing].kind == "redis" and backing in in_use.unknown


def _unlabelled(missing: Mapping[ServiceName, str]) -> Iterator[str]:
    for name, image in sorted(missing.items()):
        shown = f" ({image})" if image else ""
        yield (
            f"{name} runs from an image that is no release{shown}: it goes on, and the gateway sends it nothing any "
            f"more until a release of it is deployed"
        )


def _untold(in_use: InUse) -> Iterator[str]:
    for name, clients in sorted(in_use.unknown.items()):
        for client in clients:
            yield (
                f"the password with which {client} enters {name} cannot be read back: give it as "
                f"{client}/backing.{name}.password in the file of --secrets; else the next deployment of {client} "
                f"makes another, and its running replicas cannot enter {name} anew until they are replaced"
            )


def _running(
    product: OpenProduct, observed: Observed
) -> tuple[dict[ServiceName, Release], dict[ServiceName, str]]:
    """The release of each service that runs: of the newest replica, where there are two. And the images of those whose
    image tells no release."""
    newest = {
        replica.service: replica
        for replica in sorted(
            observed.replicas, key=lambda item: (item.started is not None, str(item.started))
        )
        if replica.service in product.product.services
    }
    found, missing = {}, {}
    for service, replica in newest.items():
        # a name may have been taken away from an image that runs
        release = product.catalogue.find_image(service, replica.image_id) or product.releases.of_image(
            service, replica.image_id
        )
        if release is None:
            missing[service] = replica.image_id.removeprefix("sha256:")[:12]
        else:
            found[service] = release
    return found, missing


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


def _why(
    every: Proposal, observed: Observed, product: OpenProduct, others: Collection[ServiceName | None]
) -> list[str]:
    sentences = [
        f"{change.subject} does not run as the product's files say: a deployment would {change.action} it"
        for change in _touching(every, observed)
        if change.service in others
    ]
    sentences += [
        f"{name} will need its secrets once more, in the file of --secrets: {', '.join(keys)}"
        for name in sorted(filter(None, others))
        if (keys := _read_back(every, name))
    ]
    strangers = {item.service for item in observed.replicas} - set(product.product.services)
    told = (
        "is no service of the product's files: it goes on, and the gateway sends it nothing any more; "
        "bring its folder back first if that is not what you want"
    )
    return sentences + [f"{name} {told}" for name in sorted(strangers)]
