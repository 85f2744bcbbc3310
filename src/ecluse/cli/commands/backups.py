"""`ecluse backups`: which backups there are, and whether they were tried."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@click.argument("name", required=False, metavar="[NAME]")
@options.as_json
@click.pass_obj
def backups(invocation: Invocation, environment: str, name: str | None, *, json: bool) -> None:
    """Lists the backups of ENV, newest first."""
    from ecluse.cli.backups_view import backup_facts, show_backups
    from ecluse.cli.output import show_json
    from ecluse.wiring.protection import read_protection

    product = invocation.open()
    place = product.environment(environment)
    found = product.reading.backups.list(place.name, name)
    if json:
        show_json([backup_facts(item) for item in found])
    else:
        protected = read_protection(product.reading, place.name)
        show_backups(place.name, found, [item for item in protected if name in (None, item.name)])
