"""`ecluse run`: runs a task or a cron of a service now."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@click.argument("service", metavar="SERVICE")
@click.argument("task", metavar="TASK")
@options.as_json
@click.pass_obj
def run(invocation: Invocation, environment: str, service: str, task: str, *, json: bool) -> None:
    """Runs TASK (a task or a cron) of the release that ENV runs, in a container of its own."""
    from ecluse.cli.progress import carry_out
    from ecluse.wiring.command import propose_command

    product = invocation.open()
    place = product.environment(environment)
    proposal = propose_command(product, place, product.service(service), task, product.acting)
    carry_out(invocation, product, proposal, json=json)
