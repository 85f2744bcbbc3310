"""`ecluse logs`: what the replicas of a service write."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show


@click.command()
@options.environment
@click.argument("service", metavar="SERVICE[/PROCESS]")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come.")
@click.option("--since", metavar="T", help="Only the last T: 30s, 10m, 2h.")
@click.option("--tail", type=int, metavar="N", help="Only the last N lines of each replica.")
@options.as_json
@click.pass_obj
def logs(
    invocation: Invocation, environment: str, service: str, *,
    follow: bool, since: str | None, tail: int | None, json: bool,
) -> None:  # fmt: skip
    """Shows the log lines of every replica of SERVICE, in order of time."""
    product = invocation.open()
    place = product.environment(environment)
    name, _, process = service.partition("/")

    async def read() -> None:
        from ecluse.cli.output import plain
        from ecluse.wiring.command import parse_since

        engine = product.reading.engine()
        try:
            lines = engine.logs(
                product.target(place), product.service(name), process or None,
                follow=follow, since=parse_since(since), tail=tail,
            )  # fmt: skip
            async for line in lines:
                if json:
                    import json as encoder

                    show(encoder.dumps(plain(line), ensure_ascii=False))
                else:
                    show(f"{line.at.astimezone():%H:%M:%S} {line.replica} | {line.text}")
        finally:
            await engine.close()

    invocation.run(read())
