"""`ecluse import`: brings over what other tools hold."""

from __future__ import annotations

import click

from ecluse.cli.commands import import_compose, import_env, import_hesperides


@click.group(name="import")
def imports() -> None:
    """Brings over the settings that people have: Hesperides, .env files, Compose files.

    Each import tells what it took, changed and left, writes everything or nothing, and may run again: what
    people wrote or removed since is kept.
    """


for command in (import_hesperides.hesperides, import_env.env, import_compose.compose):
    imports.add_command(command)
