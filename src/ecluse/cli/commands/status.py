"""`ecluse status`: what runs, where it answers, and what is in hand."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@click.argument("environment", required=False, metavar="[ENV]")
@options.as_json
@click.pass_obj
def status(invocation: Invocation, environment: str | None, *, json: bool) -> None:
    """Shows what really runs in ENV (every environment, by default) beside what is on record."""
    from ecluse.cli.output import show_json
    from ecluse.cli.status_view import show_status
    from ecluse.server.launch import find_runner
    from ecluse.wiring.status import read_status

    product = invocation.open()
    runner = find_runner(product.settings.product_state(product.product.name))
    names = [environment] if environment else list(product.product.environments)
    environments = [product.environment(name) for name in names]
    found = invocation.run(read_status(product, environments, runner_is_there=runner is not None))
    if json:
        show_json(found)
    else:
        show_status(found)
