"""`ecluse releases`: what can be deployed, and from what it was made."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import ago, show, show_json, table


@click.command()
@click.argument("service", required=False, metavar="[SERVICE]")
@options.as_json
@click.pass_obj
def releases(invocation: Invocation, service: str | None, *, json: bool) -> None:
    """Lists the releases of SERVICE (of all, by default), newest first."""
    product = invocation.open()
    found = product.releases.list(product.service(service) if service else None)
    if json:
        show_json(found)
        return
    if not found:
        show("there is no release yet: `ecluse build` makes them")
        return
    rows = [
        (
            item.service, item.version, item.short_id,
            _origin(item.commit, dirty=item.dirty), ago(item.created),
        )
        for item in found
    ]  # fmt: skip
    table(("service", "version", "image", "made from", "built"), rows)


def _origin(commit: str | None, *, dirty: bool) -> str:
    if commit is None:
        return "a folder without git"
    return f"{commit} and uncommitted changes" if dirty else commit
