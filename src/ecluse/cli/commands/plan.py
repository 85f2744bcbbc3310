"""`ecluse plan`: what a deployment would do. It writes nothing, but the file that `--out` names."""

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
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Save it for `deploy --plan FILE`. The file holds no secret.",
)  # fmt: skip
@options.as_json
@click.pass_obj
def plan(
    invocation: Invocation, environment: str, selectors: tuple[str, ...], *,
    everything: bool, secrets: Path | None, out: Path | None, json: bool,
) -> None:  # fmt: skip
    """Shows what `deploy` would change in ENV, down to each configuration key, and why.

    Without services, all of them. Without a version, the one that the environment runs, or the newest release
    the first time; SERVICE=latest means the newest.
    """
    from ecluse.cli.plan_view import show_newer, show_plan
    from ecluse.wiring.proposal import propose, wish
    from ecluse.wiring.saving import save_plan

    product = invocation.open(secrets=secrets)
    wanted = wish(product, environment, selectors, everything=everything)
    state = product.acting if out else product.reading
    proposal = invocation.run(propose(product, wanted, state))
    if json:
        facts = {"plan": proposal.plan, "digest": proposal.plan.digest, "refusals": proposal.refusals}
        show_json(facts | {"doubts": proposal.doubts, "newer": proposal.newer})
    else:
        show_plan(proposal.plan)
        show_newer(proposal.newer)
    for reason in proposal.refusals:
        say(f"would be refused: {reason}", colour="yellow")
    for doubt in proposal.doubts:
        say(f"would ask: {doubt.sentence} (--accept {doubt.guard})", colour="yellow")
    if out and proposal.plan.is_empty:
        say(f"nothing to do, and so {out} was not written")
    elif out:
        save_plan(proposal, out)
        say(f"saved the plan {proposal.plan.digest} as {out}: ecluse deploy {environment} --plan {out}")
