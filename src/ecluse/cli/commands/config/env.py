"""`ecluse config env`: what a service gets, as a `.env` for a developer's machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say


@click.command()
@options.environment
@options.service
@click.option(
    "--secrets/--no-secrets", "with_secrets", default=None, help="With the secrets that can be read here."
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write a private file (mode 600) instead of standard output.",
)  # fmt: skip
@click.pass_obj
def env(
    invocation: Invocation, environment: str, service: str, *, with_secrets: bool | None, output: Path | None
) -> None:
    """Writes what SERVICE gets in ENV as a .env file. Secrets are left out unless they are asked for; on a terminal
    it asks."""
    from ecluse.wiring.dotenv import dotenv, write_private

    product = invocation.open()
    made = dotenv(product, environment, service, with_secrets=bool(with_secrets))
    asks = bool(made.left_out) and with_secrets is None and sys.stdin.isatty()
    if asks and click.confirm(f"Include {len(made.left_out)} secret values?", err=True):
        made = dotenv(product, environment, service, with_secrets=True)
    if output:
        write_private(output, made.text)
        say(f"wrote {output} (mode 600)")
    else:
        click.echo(made.text, nl=False)
    if made.left_out:
        say(f"left out: {', '.join(made.left_out)} (secrets: --secrets)")
