"""`ecluse config show`: every value that a service gets in an environment."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json


@click.command("show")
@options.environment
@options.service
@options.as_json
@click.pass_obj
def show_command(invocation: Invocation, environment: str, service: str, *, json: bool) -> None:
    """Lists what SERVICE gets in ENV: each key of its contract, and what is said of its processes and crons."""
    from ecluse.cli.config_view import show_values, value_facts
    from ecluse.errors import ConfigInvalid
    from ecluse.wiring.questions import Questions

    sight = Questions(invocation.open()).sight(environment)
    values = list(sight.all(service))
    if json:
        show_json([value_facts(one) for one in values])
    elif values:
        show_values(values)
    else:
        show(f"{service} declares no key, and nothing is said of its processes")
    if sight.problems:
        raise ConfigInvalid(sight.problems)
