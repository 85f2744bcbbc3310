"""`ecluse exec`: a command inside a running replica, on this terminal."""

from __future__ import annotations

import sys

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command("exec", context_settings={"ignore_unknown_options": True})
@options.environment
@click.argument("service", metavar="SERVICE[/PROCESS]")
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@click.pass_obj
def execute(invocation: Invocation, environment: str, service: str, words: tuple[str, ...]) -> int:
    """Runs COMMAND in a running replica of SERVICE; the exit code is the command's own."""
    from ecluse.wiring.command import execute_inside

    product = invocation.open()
    place = product.environment(environment)
    name, _, process = service.partition("/")
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    work = execute_inside(product, place, product.service(name), process or None, words, tty=tty)
    return invocation.run(work)
