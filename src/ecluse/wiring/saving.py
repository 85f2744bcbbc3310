"""Saves a plan to a file, and makes a proposal of it again: the same changes, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ecluse.delivery import drift, gates
from ecluse.errors import Busy, EcluseError, NotFound, Refused, UsageError
from ecluse.model.application import Desired
from ecluse.model.backing import all_joined
from ecluse.model.deployment import KnownGood
from ecluse.model.plan import Intent
from ecluse.model.product import Environment
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal, plan_again
from ecluse.wiring.state import ProductState

PURPOSE = "the seal of saved plans"


def save_plan(proposal: Proposal, path: Path) -> None:
    """Writes the plan, mode 600. Its secrets go into the vault, so that it can be applied without them."""
    from ecluse.secrets.vault import write_private
    from ecluse.store import plans

    state = proposal.state
    state.vault.keep()
    saved = plans.SavedPlan(proposal.intent, state.clock.now(), state.settings.user)
    text = plans.dump(saved, key=state.vault.derive(PURPOSE))
    try:
        write_private(path, text.encode())
    except OSError as error:
        raise EcluseError(f"cannot write {path}: {error.strerror}") from error


async def propose_saved(
    product: OpenProduct, environment: Environment, path: Path, state: ProductState
) -> Proposal:
    """The proposal that the file holds. Refused, change by change, when what it acts on is not as it was."""
    from ecluse.store import plans

    key = state.vault.derive(PURPOSE)
    saved = plans.load(_read(path), name=str(path), product=product.product.name, key=key)
    intent = saved.intent
    if intent.target.environment != environment.name:
        raise UsageError(
            f"{path} is a plan for {intent.target.environment}, not for {environment.name}",
            hint=f"ecluse deploy {intent.target.environment} --plan {path}",
        )
    _refuse_busy(state, intent)
    known = state.records.known_good(environment.name)
    proposal = await plan_again(product, state, _desired(intent, known), known, intent.plan)
    stale = [*_missing(product, intent), *drift.drift(intent.plan, proposal.plan)]
    if stale:
        listed = "\n".join(f"  - {sentence}" for sentence in stale)
        raise Refused(
            f"the plan of {saved.made_at.astimezone():%Y-%m-%d %H:%M:%S} does not hold any more:\n{listed}",
            hint=f"make it again: ecluse plan {environment.name} --out {path}",
        )
    before = {str(name): state.records.known_good(name) for name in environment.follows}
    refusals = gates.refusals(environment, _desired(intent, known), before)
    note = f"the plan {intent.plan.digest}, saved by {saved.made_by}"
    return replace(
        proposal,
        intent=replace(proposal.intent, note=note, is_reviewed=True),
        refusals=(*refusals, *proposal.refusals),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"cannot read {path}: {reason}") from error


def _desired(intent: Intent, known: KnownGood) -> Desired:
    backing = all_joined(intent.backing, known.backing, intent.previous_backing)
    return Desired(
        intent.target,
        intent.applications,
        {**known.backing, **backing},
        intent.plan.revision,
        intent.plan.dirty,
    )


def _missing(product: OpenProduct, intent: Intent) -> Iterator[str]:
    for name, application in intent.applications.items():
        try:
            product.catalogue.image(name, application.release.image_id, application.release.version)
        except NotFound as error:
            yield error.message


def _refuse_busy(state: ProductState, intent: Intent) -> None:
    for item in state.records.unfinished():
        if item.environment == intent.target.environment and item.kind != "run":
            raise Busy(
                f"deployment {item.number} of {item.environment} is in hand, asked by {item.requested_by}",
                hint="wait for its end: the plan is checked against what it leaves",
            )
