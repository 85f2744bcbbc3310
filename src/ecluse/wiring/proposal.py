"""From a command's words to an intent: choose the releases, resolve, observe, plan, check the gates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecluse.delivery import gates, guards, quarantine, queue, rollback, versions
from ecluse.delivery.capacity import shortages
from ecluse.delivery.plan import make_plan
from ecluse.delivery.removal import removal_plan
from ecluse.delivery.selection import Selector, parse_selectors
from ecluse.errors import NotFound, Refused, SecretUnavailable
from ecluse.model.application import Application, BackingService, Desired, Target
from ecluse.model.capacity import Capacity
from ecluse.model.deployment import Deployment, KnownGood
from ecluse.model.doubt import Doubt
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import ALONE, DeploymentKind, Intent, Plan
from ecluse.model.product import Environment, Tls
from ecluse.model.release import Release
from ecluse.ports import SecretSource
from ecluse.wiring.guarding import circumstances, older_than_data
from ecluse.wiring.passwords import redressed
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.readable import claimed, unreadable_values
from ecluse.wiring.state import ProductState
from ecluse.wiring.trust import refuse_certificate


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan with all that is needed to execute it, and the state that it was made on."""

    intent: Intent
    state: ProductState
    refusals: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Secrets that would be delivered and that nobody can read here: no override goes past them."""
    doubts: tuple[Doubt, ...] = ()
    newer: Mapping[ServiceName, str] = field(default_factory=dict)
    """Newer releases of services whose version was not named, where this environment is the first that gets them."""

    @property
    def plan(self) -> Plan:
        return self.intent.plan

    def require_readable(self) -> None:
        """Raises SecretUnavailable, with those who can read what nobody here can."""
        if self.unreadable:
            listed = "\n".join(f"  - {line}" for line in self.unreadable)
            raise SecretUnavailable(
                f"{self.plan.kind} to {self.plan.environment} is refused:\n{listed}",
                hint=f"let one of them {self.plan.kind} it here once: then it is known, and anybody may",
            )

    def enqueue(self) -> int:
        """Hands the intent to the runner's queue; gives the deployment's number.

        Busy when it is a command that runs on its own, and somebody runs the same one.
        """
        self.require_readable()
        self.state.vault.keep()
        records, user = self.state.records, self.state.settings.user
        if self.plan.kind not in ALONE:
            return records.enqueue(self.intent, by=user)
        while (number := records.enqueue_alone(self.intent, by=user)) is None:
            here = [item for item in records.unfinished() if item.environment == self.plan.environment]
            if holder := queue.occupant(here, self.plan.commands):
                raise queue.busy(holder, self.plan.commands)
        return number


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks for in an environment. `everything`: also the services that are not named."""

    environment: Environment
    selectors: tuple[Selector, ...]
    everything: bool = False
    kind: DeploymentKind = "deploy"


def wish(product: OpenProduct, environment: str, words: Sequence[str], *, everything: bool = False) -> Wish:
    """Naming no service means all of them."""
    selectors = parse_selectors(words, product.product.services)
    if everything or not selectors:
        named = {selector.service for selector in selectors}
        selectors += [Selector(name) for name in product.product.services if name not in named]
    return Wish(product.environment(environment), tuple(selectors), everything or not words)


async def propose(product: OpenProduct, wanted: Wish, state: ProductState) -> Proposal:
    """The plan to bring the wished releases into the environment. Reads only."""
    environment = wanted.environment
    known = state.records.known_good(environment.name)
    current = _current_versions(product, environment, known)
    chosen = {selector.service: product.catalogue.choose(selector, current) for selector in wanted.selectors}
    proposal = await propose_releases(product, wanted, state, known, chosen)
    return replace(proposal, newer=_newer(product, wanted, chosen))


async def propose_promotion(
    product: OpenProduct, source: Environment, wanted: Wish, state: ProductState
) -> Proposal:
    """The plan to bring what is known good in `source`, or the versions that were named."""
    known = state.records.known_good(source.name)
    chosen = {}
    for selector in wanted.selectors:
        if selector.version is not None:
            chosen[selector.service] = product.catalogue.version(selector.service, selector.version)
        elif selector.service in known.applications:
            release = known.applications[selector.service].release
            chosen[selector.service] = product.catalogue.image(
                selector.service, release.image_id, release.version
            )
    if not chosen:
        raise NotFound(
            f"nothing is known good in {source.name}", hint=f"ecluse deploy {source.name}, then promote"
        )
    there = state.records.known_good(wanted.environment.name)
    return await propose_releases(product, wanted, state, there, chosen)


async def propose_rollback(
    product: OpenProduct,
    environment: Environment,
    services: Sequence[ServiceName],
    to: int | None,
    state: ProductState,
) -> Proposal:
    """The plan to bring back what ran after an earlier deployment: its releases and its configuration."""
    history = state.records.deployments(environment.name, runs=False)
    number = rollback.target(history, services, to)
    now = state.records.known_good(environment.name)
    then = state.records.known_good(environment.name, at=number)
    scope = set(services) or {*now.applications, *then.applications}
    desired = Desired(
        target=product.target(environment),
        applications=redressed(
            {name: app for name, app in then.applications.items() if name in scope},
            then.backing,
            now.backing,
            state.vault,
        ),
        backing=now.backing,
        revision=then.revision or "",
    )
    removed = sorted((scope & set(now.applications)) - set(then.applications))
    passed = rollback.passed_irreversible(state.records.ledger(environment.name), number)
    doubts = list(guards.irreversible([entry for entry in passed if entry.service in scope]))
    notes = [_taken_back(item) for item in rollback.taken_back(history, scope, number)]
    proposal = await _plan(
        product, state, desired, now, "rollback", removed, (), rolled_to=number, notes=notes
    )
    return replace(proposal, doubts=(*proposal.doubts, *doubts))


def _taken_back(item: Deployment) -> str:
    moves = ", ".join(
        f"{step.service} {step.after or 'removed'}"
        for step in item.intent.plan.steps
        if step.before != step.after
    )
    when = item.requested_at.astimezone().strftime("%Y-%m-%d %H:%M")
    what = moves or "its configuration"
    return f"takes back deployment {item.number} ({item.kind} by {item.requested_by}, {when}): {what}"


async def propose_removal(
    product: OpenProduct, environment: Environment, state: ProductState, *, volumes: bool
) -> Proposal:
    """The plan to take an environment down."""
    # without HTTPS: a certificate that expired must not keep an environment from going
    target = replace(product.target(environment), tls=Tls("off"))
    known = state.records.known_good(environment.name)
    observed, capacity = await _look(state, target)
    plan = removal_plan(environment.name, known, observed, volumes=volumes)
    now = circumstances(product, capacity.engine)
    intent = Intent(
        target,
        plan,
        {},
        known.applications,
        previous_backing=known.backing,
        volumes=volumes,
        circumstances=now,
    )
    return Proposal(intent, state, doubts=tuple(guards.elsewhere(now, known.circumstances)))


async def observe(state: ProductState, target: Target) -> Observed:
    engine = state.engine()
    try:
        return await engine.observe(target)
    finally:
        await engine.close()


async def propose_releases(
    product: OpenProduct,
    wanted: Wish,
    state: ProductState,
    known: KnownGood,
    chosen: Mapping[ServiceName, Release],
    *,
    secrets: SecretSource | None = None,
    in_use: Mapping[str, BackingService] | None = None,
) -> Proposal:
    """The plan to bring these releases. secrets: another source than what was given and what is on record. in_use:
    backing services whose passwords count, where they are not on record."""
    from ecluse.config.resolve import resolve
    from ecluse.config.scope import Means

    environment = wanted.environment
    _check_engines(environment, chosen)
    resolved = resolve(
        product.configuration,
        environment.name,
        {**_others(product, known, chosen), **chosen},
        chosen,
        Means(
            secrets or product.secrets({environment.name: known}),
            state.vault,
            public_port=product.settings.public_port,
            https_port=product.settings.edge_https_port,
            known={**known.backing, **(in_use or {})},
        ),
    )
    desired = resolved.desired
    unreadable = tuple(unreadable_values(product.configuration, desired, resolved.unreadable))
    refuse_certificate(product.settings, desired.target, {**known.applications, **desired.applications})
    before: dict[str, KnownGood] = {str(name): state.records.known_good(name) for name in environment.follows}
    refusals = tuple(gates.refusals(environment, desired, before))
    removed = sorted(set(known.applications) - set(product.product.services)) if wanted.everything else []
    warnings = [*map(str, resolved.warnings), *claimed(product, desired)]
    proposal = await _plan(product, state, desired, known, wanted.kind, removed, warnings)
    older = older_than_data(product, state, environment.name, chosen, known)
    return replace(
        proposal,
        refusals=(*unreadable, *refusals, *proposal.refusals),
        unreadable=unreadable,
        doubts=(*proposal.doubts, *older),
    )


async def plan_again(
    product: OpenProduct, state: ProductState, desired: Desired, known: KnownGood, plan: Plan
) -> Proposal:
    """The plan that brings what an earlier plan wanted, against what is there now."""
    removed = [step.service for step in plan.steps if step.after is None]
    return await _plan(product, state, desired, known, plan.kind, removed, plan.warnings)


async def _plan(
    product: OpenProduct,
    state: ProductState,
    desired: Desired,
    known: KnownGood,
    kind: DeploymentKind,
    removed: Collection[ServiceName],
    warnings: Sequence[str],
    *,
    rolled_to: int | None = None,
    notes: Sequence[str] = (),
) -> Proposal:
    observed, capacity = await _look(state, desired.target)
    ledger = state.records.ledger(desired.target.environment)
    plan = make_plan(
        desired, observed, known, ledger, kind=kind, removed=removed, warnings=warnings, notes=notes
    )
    now = circumstances(product, capacity.engine)
    scope = set(desired.applications) | set(removed)
    intent = Intent(
        target=desired.target,
        plan=plan,
        applications=desired.applications,
        previous=_within(known.applications, scope),
        others={name: app for name, app in known.applications.items() if name not in scope},
        backing=desired.backing,
        previous_backing=known.backing,
        rolled_to=rolled_to,
        circumstances=now,
    )
    found = [
        *guards.doubts(plan, services=product.product.services, now=now, before=known.circumstances),
        *_unrecorded(state, desired, observed),
    ]
    kept_out = state.records.quarantined(desired.target.environment)
    refusals = [
        *quarantine.refusals(desired.applications, known, kept_out),
        *shortages(capacity, desired, plan),
        *versions.refusals({item.name: item for item in observed.backing}, known.backing, desired.backing),
    ]
    return Proposal(intent, state, tuple(refusals), doubts=tuple(found))


def _unrecorded(state: ProductState, desired: Desired, observed: Observed) -> list[Doubt]:
    environment = desired.target.environment
    if state.records.deployments(environment, limit=1):
        return []
    return list(guards.unrecorded(environment, {item.service for item in observed.replicas}))


async def _look(state: ProductState, target: Target) -> tuple[Observed, Capacity]:
    engine = state.engine()
    try:
        return await engine.observe(target), await engine.capacity(target)
    finally:
        await engine.close()


def _current_versions(
    product: OpenProduct, environment: Environment, known: KnownGood
) -> dict[ServiceName, str]:
    """What the environment runs; where nothing is on record (a new engine), what its lockfile says."""
    from ecluse.wiring.lock import locked_versions

    versions = locked_versions(product, environment)
    return versions | {name: app.release.version for name, app in known.applications.items()}


def _newer(
    product: OpenProduct, wanted: Wish, chosen: Mapping[ServiceName, Release]
) -> dict[ServiceName, str]:
    if wanted.environment.follows:
        return {}
    unnamed = [selector.service for selector in wanted.selectors if selector.version is None]
    newest = {name: product.catalogue.newest(name) for name in unnamed}
    return {name: one.version for name, one in newest.items() if one.image_id != chosen[name].image_id}


def _others(
    product: OpenProduct, known: KnownGood, chosen: Mapping[ServiceName, Release]
) -> dict[ServiceName, Release]:
    """The releases of the services that the plan leaves alone, for the references to them."""
    found = {}
    for name, application in known.applications.items():
        if name not in chosen and name in product.product.services:
            try:
                release = application.release
                found[name] = product.catalogue.image(name, release.image_id, release.version)
            except NotFound:
                continue
    return found


def _check_engines(environment: Environment, services: Collection[ServiceName]) -> None:
    for service in sorted(services):
        place = environment.place_of(service)
        if place.engine != "docker":
            raise Refused(
                f"{service} is placed on {place.name} ({place.engine}), which this version cannot drive yet",
                hint=f"place it on an engine: docker in environments.{environment.name}",
            )


def _within(
    applications: Mapping[ServiceName, Application], scope: Collection[ServiceName]
) -> dict[ServiceName, Application]:
    return {name: app for name, app in applications.items() if name in scope}
