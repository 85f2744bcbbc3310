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
    from ecluse.model.doubt import Doubt
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
    accept: tuple[str, ...] = (),
) -> Deployment | None:
    """From a proposal to its end. None when there was nothing to do.

    doubts: warnings that `--yes` answers. Those of the proposal must each be accepted, here or by name.
    """
    from ecluse.cli.plan_view import show_newer, show_plan
    from ecluse.cli.progress import carry_out
    from ecluse.delivery import gates

    if not json:
        show_plan(proposal.plan)
        show_newer(proposal.newer)
    proposal.require_readable()
    if override is None:
        gates.refuse(list(proposal.refusals), what=f"{proposal.plan.kind} to {proposal.plan.environment}")
    elif proposal.refusals:
        proposal = replace(proposal, intent=replace(proposal.intent, note=f"override: {override}"))
    if proposal.plan.is_empty:
        if json:
            show_json({"environment": proposal.plan.environment, "changes": 0, "state": "nothing to do"})
        return None
    ask_doubts(proposal.doubts, yes=yes, accept=accept)
    ask(f"{proposal.plan.kind} {proposal.plan.environment}?", yes=yes, doubts=doubts)
    return carry_out(invocation, product, proposal, json=json)


def ask_doubts(found: tuple[Doubt, ...], *, yes: bool, accept: tuple[str, ...]) -> None:
    """One question for each guard on a terminal; elsewhere, or in a hurry, each must be accepted by name."""
    from ecluse.delivery import guards

    if yes or not sys.stdin.isatty():
        guards.refuse(found, accept)
        return
    for doubt in found:
        if doubt.guard not in accept:
            say(f"warning: {doubt.sentence}", colour="yellow")
            click.confirm(paint("go on all the same?", "yellow", err=True), abort=True, err=True)


def ask(question: str, *, yes: bool, doubts: tuple[str, ...] = ()) -> None:
    """Asks on the terminal. Without one, `--yes` must have been given."""
    for doubt in doubts:
        say(f"warning: {doubt}", colour="yellow")
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} Nobody is here to say yes", hint="add --yes")
    click.confirm(paint(question, "yellow", err=True), abort=True, err=True)
