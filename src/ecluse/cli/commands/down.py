"""`ecluse down`: takes an environment away. Volumes stay unless they are named."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@click.option("--volumes", is_flag=True, help="Also remove the data of its backing services.")
@options.accept
@options.yes
@options.as_json
@click.pass_obj
def down(
    invocation: Invocation, environment: str, *, volumes: bool, accept: tuple[str, ...], yes: bool, json: bool
) -> None:
    """Removes everything of ENV from the engine, and nothing else."""
    from ecluse.cli.commands.consent import settle
    from ecluse.wiring.proposal import propose_removal

    product = invocation.open()
    place = product.environment(environment)
    proposal = invocation.run(propose_removal(product, place, product.acting, volumes=volumes))
    doubts = (f"the volumes of {environment} and the data in them will be gone",) if volumes else ()
    settle(invocation, product, proposal, yes=yes, accept=accept, json=json, doubts=doubts)
