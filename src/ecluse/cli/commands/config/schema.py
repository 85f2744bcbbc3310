"""`ecluse config schema`: JSON Schemas for editors."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show_json


@click.command()
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--write", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Write the schema of every file into FOLDER, and show how an editor finds them.",
)  # fmt: skip
@click.pass_obj
def schema(invocation: Invocation, file: str | None, *, folder: Path | None) -> None:
    """Shows the JSON Schema of a file of the product: ecluse.yaml, service.yaml, or a layer like
    config/services/NAME.yaml, which knows the keys of that service."""
    from ecluse.errors import UsageError
    from ecluse.wiring.schemas import schema_of, write_schemas

    product = invocation.open()
    if (file is None) == (folder is None):
        raise UsageError(
            "the schema of what?", hint="name a file (ecluse.yaml), or --write FOLDER for all of them"
        )
    if file is not None:
        show_json(schema_of(product, file))
    elif folder is not None:
        found = write_schemas(product, folder)
        say(f"wrote {len(found)} schemas; the setting of editors that know yaml-language-server:")
        show_json({"yaml.schemas": found})
