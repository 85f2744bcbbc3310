"""`ecluse restore`: brings the data of a backup back, or tries whether it could be."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.errors import UsageError


@click.command()
@options.environment
@click.argument("name", required=False, metavar="[NAME]")
@click.option(
    "--backup", default="latest", show_default=True, metavar="TIME", help="Which one, as `backups` lists it."
)
@click.option("--from", "source", metavar="OTHER_ENV", help="A backup of another environment.")
@click.option("--test", is_flag=True, help="Only try it, in a container that is thrown away.")
@options.yes
@options.as_json
@click.pass_obj
def restore(
    invocation: Invocation,
    environment: str,
    name: str | None,
    *,
    backup: str,
    source: str | None,
    test: bool,
    yes: bool,
    json: bool,
) -> None:
    """Replaces the data of NAME (all, by default) in ENV by that of a backup. What is there is copied first."""
    from ecluse.cli.commands.consent import settle
    from ecluse.cli.progress import carry_out
    from ecluse.wiring.copies import propose_restore, propose_trial, restore_doubts

    product = invocation.open()
    place = product.environment(environment)
    if test:
        if source is not None:
            raise UsageError(
                "--test tries a backup where it was made", hint=f"ecluse restore --test {source}"
            )
        trial = propose_trial(product, place, name, product.acting, backup=backup)
        carry_out(invocation, product, trial, json=json)
        return
    origin = product.environment(source) if source else None
    proposal = propose_restore(product, place, name, product.acting, backup=backup, source=origin)
    doubts = restore_doubts(product.acting, proposal, place, origin)
    settle(invocation, product, proposal, yes=yes, json=json, doubts=doubts)
