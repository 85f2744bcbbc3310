"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

as_json = click.option("--json", "json", is_flag=True, help="Show data as JSON.")
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
secrets = click.option(
    "--secrets", type=click.Path(path_type=Path), metavar="FILE",
    help="A private YAML file (mode 600) with secrets: `service/KEY: value`, one a line.",
)  # fmt: skip
everything = click.option("--all", "everything", is_flag=True, help="Also the services that are not named.")
override = click.option("--override", metavar="REASON", help="Go past the gates; the reason is recorded.")
accept = click.option(
    "--accept", multiple=True, metavar="GUARD",
    help="Answer a guard's question beforehand, by its name: `removes-most`, for example. --yes does not.",
)  # fmt: skip
environment = click.argument("environment", metavar="ENV")
selectors = click.argument("selectors", nargs=-1, metavar="[SERVICE[=VERSION]]...")
services = click.argument("services", nargs=-1, metavar="[SERVICE]...")
overwrite = click.option(
    "--overwrite", is_flag=True, help="Replace what differs here by what the source says."
)
dry_run = click.option("--dry-run", is_flag=True, help="Only report; write nothing.")
import_secret = click.option("--secret", multiple=True, metavar="NAME", help="Encrypt this one too.")
import_plain = click.option("--plain", multiple=True, metavar="NAME", help="This one is no secret.")
service = click.argument("service", metavar="SERVICE")
key = click.argument("key", metavar="KEY")
