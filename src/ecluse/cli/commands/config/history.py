"""`ecluse config history`: what a value was, commit by commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json, table

if TYPE_CHECKING:
    from ecluse.config.past import Moment


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
    from ecluse.cli.config_view import commit_facts, value_facts
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
        (one.commit.short, f"{one.commit.at:%Y-%m-%d}", one.commit.author, *_told(one), one.commit.subject)
        for one in moments
    ]
    table(("commit", "when", "who", "value", "from", "why"), rows)


def _told(moment: Moment) -> tuple[str, object]:
    """The value, and where it is from."""
    from ecluse.cli.config_view import short

    if moment.problem:
        return "(the files were wrong)", moment.problem
    if moment.seen is None:
        return "(not there)", ""
    return short(moment.seen.text), moment.seen.origin or ""
