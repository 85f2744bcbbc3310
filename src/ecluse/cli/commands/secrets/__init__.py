"""`ecluse secrets`: what is encrypted in the product's git. Values come from a prompt or standard input, never from
arguments, and are shown only when that is asked for."""

from __future__ import annotations

import click

from ecluse.cli.commands.secrets import exchange, keys, values


@click.group()
def secrets() -> None:
    """Keeps secrets in git, encrypted in the format of SOPS for those who may read them."""


for command in (
    keys.init, values.edit, values.set_value, values.unset, values.show_values, keys.rotate, keys.recipients,
    keys.verify, exchange.propose, exchange.accept, exchange.merge,
):  # fmt: skip
    secrets.add_command(command)
