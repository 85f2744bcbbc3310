"""`ecluse deploy`: shows the plan, asks, executes it and follows it to its end."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@options.selectors
@options.everything
@options.secrets
@click.option(
    "--plan", "saved", type=click.Path(path_type=Path), metavar="FILE",
    help="Apply the plan that `ecluse plan --out` saved, or nothing.",
)  # fmt: skip
@options.override
@options.accept
@options.yes
@options.as_json
@click.pass_obj
def deploy(
    invocation: Invocation, environment: str, selectors: tuple[str, ...], *,
    everything: bool, secrets: Path | None, saved: Path | None, override: str | None,
    accept: tuple[str, ...], yes: bool, json: bool,
) -> None:  # fmt: skip
    """Brings releases into ENV: new replicas ready first, then the traffic, then the old ones out.

    Ctrl-C detaches; the runner goes on. A failure restores what was there.
    """
    from ecluse.cli.commands.consent import settle
    from ecluse.cli.lock import export_lock
    from ecluse.errors import UsageError
    from ecluse.wiring.proposal import propose, wish
    from ecluse.wiring.saving import propose_saved

    product = invocation.open(secrets=secrets)
    place = product.environment(environment)
    if saved is None:
        wanted = wish(product, environment, selectors, everything=everything)
        proposal = invocation.run(propose(product, wanted, product.acting))
    else:
        if selectors or everything or secrets:
            raise UsageError("a saved plan says itself what it deploys: give --plan alone")
        proposal = invocation.run(propose_saved(product, place, saved, product.acting))
    settle(invocation, product, proposal, yes=yes, accept=accept, json=json, override=override)
    export_lock(product, place)
