"""`ecluse config repeated`: one value in many places."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json


@click.command()
@options.as_json
@click.pass_obj
def repeated(invocation: Invocation, *, json: bool) -> None:
    """Lists values that are written in several places, and how each could be said once. Secrets are compared where
    they can be read here, and never shown."""
    from ecluse.cli.config_view import SECRET, origin_facts, short
    from ecluse.wiring.questions import Questions

    found = Questions(invocation.open()).repeated()
    if json:
        show_json([
            {"value": one.shown, "secret": one.shown is None, "advice": one.advice,
             "places": [{"name": name, "origin": origin_facts(origin)} for name, origin in one.places]}
            for one in found
        ])  # fmt: skip
        return
    if not found:
        show("no value is written in several places")
    for one in found:
        show(f"{SECRET if one.shown is None else short(one.shown)}    {len(one.places)} times: {one.advice}")
        for name, origin in one.places:
            show(f"    {name.removeprefix('app.')}    {origin}")
