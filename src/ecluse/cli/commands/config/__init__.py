"""`ecluse config …`: what the configuration says, why, and how to change it. One file per command."""

from __future__ import annotations

import click

from ecluse.cli.commands.config.check import check
from ecluse.cli.commands.config.diff import diff
from ecluse.cli.commands.config.env import env
from ecluse.cli.commands.config.explain import explain
from ecluse.cli.commands.config.history import history
from ecluse.cli.commands.config.repeated import repeated
from ecluse.cli.commands.config.schema import schema
from ecluse.cli.commands.config.set import set_command, unset
from ecluse.cli.commands.config.show import show_command
from ecluse.cli.commands.config.unused import unused
from ecluse.cli.commands.config.where import where


@click.group()
def config() -> None:
    """Answers questions about the configuration, and edits it."""


for command in (
    show_command,
    explain,
    where,
    diff,
    history,
    unused,
    repeated,
    check,
    env,
    set_command,
    unset,
    schema,
):
    config.add_command(command)
