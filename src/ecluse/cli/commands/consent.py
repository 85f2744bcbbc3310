"""Shows a plan, checks its gates, asks, and carries it out: what every acting command ends with."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ecluse.cli.output import paint, say, show_json
from ecluse.errors import Refused

if TYPE_CHECKING:
    from ecluse.cli.invocation import Invocation
    from ecluse.model.deployment import Deployment
    from ecluse.wiring.product import OpenProduct
    from ecluse.wiring.proposal import Proposal


def settle(
    invocation: Invocation,
    product: OpenProduct,
    proposal: Proposal,
    *,
    yes: bool,
    json: bool,
    override: str | None = None,
    doubts: tuple[str, ...] = (),
) -> Deployment | None:
    """From a proposal to its end. None when there was nothing to do. `doubts` are asked even in a hurry."""
    from ecluse.cli.plan_view import show_plan
    from ecluse.cli.progress import carry_out
    from ecluse.delivery import gates

    if not json:
        show_plan(proposal.plan)
    if override is None:
        gates.refuse(list(proposal.refusals), what=f"{proposal.plan.kind} to {proposal.plan.environment}")
    elif proposal.refusals:
        proposal = replace(proposal, intent=replace(proposal.intent, note=f"override: {override}"))
    if proposal.plan.is_empty:
        if json:
            show_json({"environment": proposal.plan.environment, "changes": 0, "state": "nothing to do"})
        return None
    if gates.removes_much(proposal.plan):
        doubts = (*doubts, "more than half of what runs here would be removed")
    ask(f"{proposal.plan.kind} {proposal.plan.environment}?", yes=yes, doubts=doubts)
    return carry_out(invocation, product, proposal, json=json)


def ask(question: str, *, yes: bool, doubts: tuple[str, ...] = ()) -> None:
    """Asks on the terminal. Without one, `--yes` must have been given."""
    for doubt in doubts:
        say(f"warning: {doubt}", colour="yellow")
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} Nobody is here to say yes", hint="add --yes")
    click.confirm(paint(question, "yellow", err=True), abort=True, err=True)
