"""`ecluse build`: makes a release of each service that changed, when its tests succeed."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show_json


@click.command()
@options.services
@click.option("--version", metavar="V", help="The version of what is built (the commit, by default).")
@click.option("--jobs", default=2, show_default=True, help="How many services are built side by side.")
@click.option("--quiet", "-q", is_flag=True, help="Only the stages, not the output of the builds.")
@options.as_json
@click.pass_obj
def build(
    invocation: Invocation, services: tuple[str, ...], *,
    version: str | None, jobs: int, quiet: bool, json: bool,
) -> None:  # fmt: skip
    """Builds SERVICE (all, by default): tests run in the test image; failing tests make no release."""
    from ecluse.cli.build_view import BuildView
    from ecluse.wiring.building import build_releases, lint

    product = invocation.open()
    names = [product.service(name) for name in services] or list(product.product.services)
    for problem in lint(product, names):
        say(f"warning: {problem}", colour="yellow")
    view = BuildView(quiet=quiet)

    async def work() -> None:
        async for progress in build_releases(product, names, version=version, jobs=jobs):
            view.tell(progress)

    try:
        invocation.run(work())
    finally:
        if json:
            show_json(view.results)
