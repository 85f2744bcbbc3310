"""`ecluse rollback`: brings back what ran before, releases and configuration, as one set."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@options.services
@click.option("--to", type=int, metavar="N", help="Back to what ran after deployment N.")
@options.accept
@options.yes
@options.as_json
@click.pass_obj
def rollback(
    invocation: Invocation,
    environment: str,
    services: tuple[str, ...],
    *,
    to: int | None,
    accept: tuple[str, ...],
    yes: bool,
    json: bool,
) -> None:
    """Goes back to what ENV ran before its last deployment. A second rollback goes further back."""
    from ecluse.cli.commands.consent import settle
    from ecluse.cli.lock import export_lock
    from ecluse.wiring.proposal import propose_rollback

    product = invocation.open()
    place = product.environment(environment)
    names = [product.service(name) for name in services]
    proposal = invocation.run(propose_rollback(product, place, names, to, product.acting))
    settle(invocation, product, proposal, yes=yes, accept=accept, json=json)
    export_lock(product, place)
