"""`ecluse plan`: what a deployment would do. It never writes."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show_json


@click.command()
@options.environment
@options.selectors
@options.everything
@options.secrets
@options.as_json
@click.pass_obj
def plan(
    invocation: Invocation, environment: str, selectors: tuple[str, ...], *,
    everything: bool, secrets: Path | None, json: bool,
) -> None:  # fmt: skip
    """Shows what `deploy` would change in ENV, down to each configuration key, and why.

    Without services, all of them. Without a version, the one that the environment runs, or the newest release
    the first time; SERVICE=latest means the newest.
    """
    from ecluse.cli.plan_view import show_plan
    from ecluse.wiring.proposal import propose, wish

    product = invocation.open(secrets=secrets)
    wanted = wish(product, environment, selectors, everything=everything)
    proposal = invocation.run(propose(product, wanted, product.reading))
    if json:
        show_json({"plan": proposal.plan, "digest": proposal.plan.digest, "refusals": proposal.refusals})
        return
    show_plan(proposal.plan)
    for reason in proposal.refusals:
        say(f"would be refused: {reason}", colour="yellow")
