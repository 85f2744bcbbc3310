"""`ecluse import env`: `.env` files into contracts and layers."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="[[ENV/]SERVICE=]FILE...")
@click.option("--service", metavar="NAME", help="Whose settings they are; then ENV=FILE names environments.")
@click.option("--environment", metavar="ENV", help="The environment of the files that name none.")
@options.import_secret
@options.import_plain
@options.overwrite
@options.dry_run
@options.as_json
@click.pass_obj
def env(
    invocation: Invocation, files: tuple[str, ...], *, service: str | None, environment: str | None,
    secret: tuple[str, ...], plain: tuple[str, ...], overwrite: bool, dry_run: bool, json: bool,
) -> None:  # fmt: skip
    """Takes .env files over: one for each service and environment.

    What is the same everywhere is said once, in the common layer. What looks like a secret is encrypted.

    \b
    ecluse import env test/invoicing=old/test.env prod/invoicing=old/prod.env
    ecluse import env --service invoicing test=.env.test prod=.env.prod
    """
    from ecluse.cli.import_view import show_import
    from ecluse.wiring.import_env import import_env_files

    imported = import_env_files(
        invocation.open(),
        files,
        service=service,
        environment=environment,
        secret=secret,
        plain=plain,
        overwrite=overwrite,
        dry_run=dry_run,
    )
    show_import(imported, dry_run=dry_run, json=json)
