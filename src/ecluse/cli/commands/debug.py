"""`ecluse debug`: the tools of the test image beside a running replica."""

from __future__ import annotations

import sys

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command("debug", context_settings={"ignore_unknown_options": True})
@options.environment
@click.argument("service", metavar="SERVICE[/PROCESS]")
@click.argument("words", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
@click.pass_obj
def debug(invocation: Invocation, environment: str, service: str, words: tuple[str, ...]) -> int:
    """Opens a shell (or runs COMMAND) in the test image of the release that runs, beside a replica of SERVICE.

    It sees the replica's network, processes, variables and files; the replica itself is not touched, and the
    session leaves nothing behind.
    """
    from ecluse.wiring.command import debug_beside

    product = invocation.open()
    place = product.environment(environment)
    name, _, process = service.partition("/")
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    command = words or ("sh",)
    work = debug_beside(product, place, product.service(name), process or None, command, tty=tty)
    return invocation.run(work)
