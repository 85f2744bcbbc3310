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
@options.override
@options.yes
@options.as_json
@click.pass_obj
def deploy(
    invocation: Invocation, environment: str, selectors: tuple[str, ...], *,
    everything: bool, secrets: Path | None, override: str | None, yes: bool, json: bool,
) -> None:  # fmt: skip
    """Brings releases into ENV: new replicas ready first, then the traffic, then the old ones out.

    Ctrl-C detaches; the runner goes on. A failure restores what was there.
    """
    from ecluse.cli.commands.consent import settle
    from ecluse.cli.lock import export_lock
    from ecluse.wiring.proposal import propose, wish

    product = invocation.open(secrets=secrets)
    wanted = wish(product, environment, selectors, everything=everything)
    proposal = invocation.run(propose(product, wanted, product.acting))
    settle(invocation, product, proposal, yes=yes, json=json, override=override)
    export_lock(product, wanted.environment)
