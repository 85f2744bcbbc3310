"""`ecluse check`: every problem of the product's files, at once."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json


@click.command()
@click.argument("environment", metavar="[ENV]", required=False)
@options.secrets
@options.as_json
@click.pass_obj
def check(invocation: Invocation, environment: str | None, *, secrets: Path | None, json: bool) -> None:
    """Checks every file of the product, for every environment, or for ENV. Nothing is written, no engine is asked."""
    from ecluse.config.check import check as examine
    from ecluse.errors import ConfigInvalid
    from ecluse.wiring.readable import received

    product = invocation.open(secrets=secrets)
    names = [product.environment(environment).name] if environment else list(product.product.environments)
    known = {name: product.reading.records.known_good(name) for name in names}
    problems, warnings = examine(
        product.configuration,
        product.secrets(known),
        product.reading.vault,
        only=names,
        received=received(product),
    )
    if json:
        show_json({"problems": problems, "warnings": warnings})
    for warning in warnings if not json else ():
        say(f"warning: {warning}", colour="yellow")
    if problems:
        raise ConfigInvalid(problems)
    if not json:
        where = environment or f"{len(names)} environments"
        show(f"{product.product.name}: {len(product.product.services)} services, {where}, no problem")
