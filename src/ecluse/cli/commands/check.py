"""`ecluse check`: every problem of the product's files, at once."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json


@click.command()
@options.secrets
@options.as_json
@click.pass_obj
def check(invocation: Invocation, *, secrets: Path | None, json: bool) -> None:
    """Checks every file of the product, for every environment. Nothing is written, no engine is asked."""
    from ecluse.config.check import check as examine
    from ecluse.errors import ConfigInvalid

    product = invocation.open(secrets=secrets)
    names = list(product.product.environments)
    known = {name: product.reading.records.known_good(name) for name in names}
    problems, warnings = examine(product.configuration, product.secrets(known), product.reading.vault)
    if json:
        show_json({"problems": problems, "warnings": warnings})
    for warning in warnings if not json else ():
        say(f"warning: {warning}", colour="yellow")
    if problems:
        raise ConfigInvalid(problems)
    if not json:
        counts = f"{len(product.product.services)} services, {len(names)} environments"
        show(f"{product.product.name}: {counts}, no problem")
