"""`ecluse history`: what was deployed, by whom, and how it ended."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import moment, show, show_json, table


@click.command()
@options.environment
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--runs", is_flag=True, help="Also tasks and crons that ran on their own.")
@options.as_json
@click.pass_obj
def history(invocation: Invocation, environment: str, *, limit: int, runs: bool, json: bool) -> None:
    """Lists the deployments of ENV, newest first."""
    from ecluse.cli.progress import ended_facts

    product = invocation.open()
    place = product.environment(environment)
    found = [item for item in product.reading.records.deployments(place.name) if runs or item.kind != "run"][
        :limit
    ]
    if json:
        show_json([ended_facts(item) for item in found])
        return
    if not found:
        show(f"{environment}: nothing was deployed yet")
        return
    rows = []
    for item in found:
        moves = [f"{step.service} {step.after or 'removed'}" for step in item.intent.plan.steps]
        seconds = f"{item.seconds:.0f} s" if item.seconds is not None else ""
        cause = item.cause.sentence if item.cause else item.intent.note or ""
        what = f"{item.kind} to {item.intent.rolled_to}" if item.intent.rolled_to else item.kind
        when = moment(item.requested_at)
        rows.append(
            (item.number, when, what, item.state, seconds, item.requested_by, ", ".join(moves), cause)
        )
    table(("no", "when", "what", "state", "took", "by", "services", "why"), rows)
