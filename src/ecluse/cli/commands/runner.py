"""`ecluse runner`: the process that acts, in the foreground (for the unit that starts it at boot)."""

from __future__ import annotations

import click

from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say


@click.command()
@click.option("--product", metavar="NAME", help="The product, when there is no folder of it here.")
@click.option(
    "--stop", is_flag=True, help="Stop the one that runs; what it has in hand goes on with the next."
)
@click.pass_obj
def runner(invocation: Invocation, *, product: str | None, stop: bool) -> int:
    """Runs the runner here. Commands start one by themselves when they need it."""
    from ecluse.errors import Busy
    from ecluse.server.launch import stop_runner
    from ecluse.server.runner import run

    settings = invocation.settings
    name = product or invocation.open().product.name
    if stop:
        stopped = stop_runner(settings.product_state(name))
        say("the runner is stopped" if stopped else "there is no runner")
        return 0
    status = run(name, settings)
    if status:
        raise Busy(f"a runner of {name} is at work already", hint="ecluse runner --stop")
    return 0
