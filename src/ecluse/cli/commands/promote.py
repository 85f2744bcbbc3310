"""`ecluse promote`: carries what is known good in one environment to the next."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("environment", metavar="TO")
@options.selectors
@options.secrets
@options.override
@options.accept
@options.yes
@options.as_json
@click.pass_obj
def promote(
    invocation: Invocation, source: str, environment: str, selectors: tuple[str, ...], *,
    secrets: Path | None, override: str | None, accept: tuple[str, ...], yes: bool, json: bool,
) -> None:  # fmt: skip
    """Brings the very images that are known good in FROM to TO, with the configuration of TO."""
    from dataclasses import replace

    from ecluse.cli.commands.consent import settle
    from ecluse.cli.lock import export_lock
    from ecluse.wiring.proposal import propose_promotion, wish

    product = invocation.open(secrets=secrets)
    wanted = replace(wish(product, environment, selectors), kind="promote")
    origin = product.environment(source)
    proposal = invocation.run(propose_promotion(product, origin, wanted, product.acting))
    settle(invocation, product, proposal, yes=yes, accept=accept, json=json, override=override)
    export_lock(product, wanted.environment)
