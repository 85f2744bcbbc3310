"""`ecluse config unused`: what is said in vain."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json, table


@click.command()
@options.as_json
@click.pass_obj
def unused(invocation: Invocation, *, json: bool) -> None:
    """Lists what no environment would miss: values beaten everywhere, or that say what a less specific layer says
    already, keys that no service declares, backing services that nobody uses."""
    from ecluse.cli.config_view import origin_facts
    from ecluse.config.whereabouts import said_in_vain
    from ecluse.wiring.questions import Questions

    found = said_in_vain(Questions(invocation.open()).sights())
    if json:
        show_json([{"name": one.name, "why": one.why, "origin": origin_facts(one.origin)} for one in found])
    elif found:
        table(("what", "where", "why"), [(one.name, one.origin, one.why) for one in found])
    else:
        show("nothing is said in vain")
