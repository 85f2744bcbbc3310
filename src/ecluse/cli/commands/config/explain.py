"""`ecluse config explain`: where one value comes from."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show_json


@click.command()
@options.environment
@options.service
@options.key
@options.as_json
@click.pass_obj
def explain(invocation: Invocation, environment: str, service: str, key: str, *, json: bool) -> None:
    """Says where KEY of SERVICE comes from in ENV: the layer that wins, what it beats, file, line, commit and
    author, and every reference on the way. KEY may also be a field of a process: run.web.memory."""
    from ecluse.cli.config_view import authored, show_explained
    from ecluse.errors import ConfigInvalid
    from ecluse.wiring.questions import Questions

    questions = Questions(invocation.open())
    sight = questions.sight(environment)
    seen = sight.find(service, key)
    if json:
        show_json(authored(seen, questions.author))
    else:
        show_explained(seen, questions.author, title=f"{key} of {service} in {environment}")
    if sight.problems:
        raise ConfigInvalid(sight.problems)
