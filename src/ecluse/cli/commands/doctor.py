"""`ecluse doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.as_json
@click.pass_obj
def doctor(invocation: Invocation, *, json: bool) -> int:
    """Examines this machine. Ends with 9 when something that Écluse needs is missing."""
    raise NotImplementedError
