"""`ecluse config history`: what a value was, commit by commit."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json, table


@click.command()
@options.environment
@options.service
@options.key
@click.option("--limit", default=20, show_default=True, help="How many changes, newest first.")
@options.as_json
@click.pass_obj
def history(
    invocation: Invocation, environment: str, service: str, key: str, *, limit: int, json: bool
) -> None:
    """Lists the commits that changed what KEY of SERVICE comes to in ENV, newest first."""
    from ecluse.cli.config_view import commit_facts, short, value_facts
    from ecluse.wiring.questions import Questions

    moments = Questions(invocation.open()).history(environment, service, key, limit=limit)
    if json:
        show_json([
            {**(commit_facts(one.commit) or {}), "value": value_facts(one.seen) if one.seen else None,
             "problem": one.problem}
            for one in moments
        ])  # fmt: skip
        return
    if not moments:
        show(f"{key} of {service} is in no commit yet")
        return
    rows = [
        (
            one.commit.short, f"{one.commit.at:%Y-%m-%d}", one.commit.author,
            one.problem or (short(one.seen.text) if one.seen else "(not there)"),
            one.seen.origin if one.seen and one.seen.origin else "", one.commit.subject,
        )
        for one in moments
    ]  # fmt: skip
    table(("commit", "when", "who", "value", "from", "why"), rows)
