"""`ecluse cancel`: stops what is in hand in an environment; what was there is restored."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say


@click.command()
@options.environment
@click.pass_obj
def cancel(invocation: Invocation, environment: str) -> None:
    """Asks the runner to stop the deployments of ENV that are waiting or running, and to restore."""
    from ecluse.errors import NotFound
    from ecluse.server.launch import ensure_runner

    product = invocation.open()
    place = product.environment(environment)
    records = product.reading.records
    pending = [item for item in records.unfinished() if item.environment == place.name]
    if not pending:
        raise NotFound(f"nothing is in hand in {environment}")
    for item in pending:
        records.request_cancel(item.number)
        say(f"deployment {item.number} ({item.state}, asked by {item.requested_by}) is asked to stop")
    ensure_runner(product.product.name, product.settings)
