"""`ecluse init`: starts a product, or adds a service to one."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show

KINDS = ("php-apache", "python", "front")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--name", metavar="NAME", help="The product's name (the folder's, by default).")
@click.option("--service", metavar="NAME", help="Add a service to the product instead.")
@click.option(
    "--like", type=click.Choice(KINDS), default="python", show_default=True, help="What the service is like."
)
@click.option("--domain", metavar="NAME", help="The business domain of the service.")
@click.pass_obj
def init(
    invocation: Invocation, folder: Path | None, *,
    name: str | None, service: str | None, like: str, domain: str | None,
) -> None:  # fmt: skip
    """Writes a product that deploys as it is in DIR, or with --service a service into the product there.

    Nothing that exists is overwritten.
    """
    from ecluse.scaffold.init import init_product, init_service

    place = (invocation.directory / folder if folder else invocation.directory).absolute()
    if service:
        created = init_service(place, service, like, domain=domain)
    else:
        created = init_product(place, name or place.name.lower())
    for path in created.files:
        show(path)
    for path in created.kept:
        say(f"kept {path}, which was there")
    for line in created.next:
        say(line)
