"""`ecluse rotate`: new passwords for the clients of backing services, without stopping anyone."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@click.argument("name", required=False, metavar="[BACKING]")
@click.argument("service", required=False, metavar="[SERVICE]")
@options.yes
@options.as_json
@click.pass_obj
def rotate(
    invocation: Invocation, environment: str, name: str | None, service: str | None, *, yes: bool, json: bool
) -> None:
    """Gives the clients of BACKING in ENV (of all, by default) new passwords.

    The new password counts beside the old one; the services are replaced, one after the other, without losing a
    request; then the old password goes. With SERVICE, only that of one client.
    """
    from ecluse.cli.commands.consent import settle
    from ecluse.wiring.rotation import propose_rotation

    product = invocation.open()
    place = product.environment(environment)
    proposal = invocation.run(propose_rotation(product, place, name, service, product.acting))
    settle(invocation, product, proposal, yes=yes, json=json)
