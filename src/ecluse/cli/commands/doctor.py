"""`ecluse doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import paint, show, show_json

MARKS = {True: ("ok", "green"), None: ("look", "yellow"), False: ("bad", "red")}


@click.command()
@click.option("--unit", is_flag=True, help="Print the systemd unit that starts the runner at boot, no more.")
@options.as_json
@click.pass_obj
def doctor(invocation: Invocation, *, unit: bool, json: bool) -> int:
    """Examines this machine. Ends with 9 when something that Écluse needs is missing."""
    from ecluse.wiring.doctoring import examine_machine

    settings = invocation.settings
    if unit:
        from ecluse.doctor import unit as units

        show(units.unit(invocation.open().product.name, settings.state_root, Path(sys.argv[0])))
        return 0
    findings = invocation.run(examine_machine(invocation.directory.absolute(), settings))
    if json:
        show_json(findings)
    for finding in findings if not json else ():
        mark, colour = MARKS[finding.ok]
        show(f"{paint(mark.ljust(4), colour, err=False)}  {finding.name}: {finding.message}")
        if finding.mend:
            show(f"      mend it: {finding.mend}")
    return 9 if any(finding.ok is False for finding in findings) else 0
