"""`ecluse backup`: copies the data of backing services, while they run."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@click.argument("name", required=False, metavar="[NAME]")
@options.as_json
@click.pass_obj
def backup(invocation: Invocation, environment: str, name: str | None, *, json: bool) -> None:
    """Copies the data of the backing service NAME (all, by default) of ENV, while it is used."""
    from ecluse.cli.progress import carry_out
    from ecluse.wiring.copies import propose_backup

    product = invocation.open()
    place = product.environment(environment)
    proposal = propose_backup(product, place, name, product.acting)
    carry_out(invocation, product, proposal, json=json)
