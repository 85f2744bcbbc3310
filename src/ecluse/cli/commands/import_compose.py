"""`ecluse import compose`: a Compose file into services, backing services and values."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--environment", metavar="ENV", help="The environment of its values (the only one, or test).")
@options.import_secret
@options.import_plain
@options.overwrite
@options.dry_run
@options.as_json
@click.pass_obj
def compose(
    invocation: Invocation, file: Path, *, environment: str | None, secret: tuple[str, ...],
    plain: tuple[str, ...], overwrite: bool, dry_run: bool, json: bool,
) -> None:  # fmt: skip
    """Takes a Compose file over: its services, databases and values.

    Its variables are replaced from the .env beside it. What has no equivalent is listed, and so are calls to
    localhost. What looks like a secret is encrypted.
    """
    from ecluse.cli.import_view import show_import
    from ecluse.wiring.import_compose import import_compose_file

    imported = import_compose_file(
        invocation.open(),
        file,
        environment=environment,
        secret=secret,
        plain=plain,
        overwrite=overwrite,
        dry_run=dry_run,
    )
    show_import(imported, dry_run=dry_run, json=json)
