"""`ecluse history`: what was deployed, by whom, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import INTERRUPTED, moment, say, show, show_json, table

if TYPE_CHECKING:
    from ecluse.model.cron import Omission
    from ecluse.model.deployment import Deployment
    from ecluse.wiring.product import OpenProduct


@click.command()
@options.environment
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--runs", is_flag=True, help="Also tasks and crons that ran on their own, or should have.")
@options.as_json
@click.pass_obj
def history(invocation: Invocation, environment: str, *, limit: int, runs: bool, json: bool) -> None:
    """Lists the deployments of ENV, newest first."""
    from ecluse.cli.crons_view import omission_facts
    from ecluse.cli.progress import ended_facts
    from ecluse.model.cron import Omission
    from ecluse.model.deployment import Deployment

    product = invocation.open()
    place = product.environment(environment)
    state = product.reading
    found: list[Deployment | Omission] = [*state.records.deployments(place.name, limit=limit, runs=runs)]
    found += state.schedule.omissions(place.name, limit=limit) if runs else []
    found = sorted(found, key=_when, reverse=True)[:limit]
    if json:
        show_json(
            [omission_facts(item) if isinstance(item, Omission) else ended_facts(item) for item in found]
        )
        return
    if not found:
        show(f"{environment}: nothing was deployed yet")
        return
    rows = [_omission(item) if isinstance(item, Omission) else _deployment(item) for item in found]
    table(("no", "when", "what", "state", "took", "by", "services", "why"), rows)
    if any(isinstance(item, Deployment) and not item.has_ended for item in found):
        show_interruption(product)
    if any(isinstance(item, Deployment) and item.cause for item in found):
        say(f"`ecluse why {environment} NO` tells more")


def show_interruption(product: OpenProduct) -> None:
    """What is in hand and has no runner is said, and who will go on with it: reading starts nothing."""
    from ecluse.server.launch import find_runner

    if find_runner(product.settings.product_state(product.product.name)) is None:
        show(INTERRUPTED)


def _when(item: Deployment | Omission) -> float:
    from ecluse.model.cron import Omission

    return (item.at if isinstance(item, Omission) else item.requested_at).timestamp()


def _deployment(item: Deployment) -> tuple[object, ...]:
    plan = item.intent.plan
    moves = [f"{step.service} {step.after or 'removed'}" for step in plan.steps]
    seconds = f"{item.seconds:.0f} s" if item.seconds is not None else ""
    cause = item.cause.sentence if item.cause else item.intent.note or ""
    what = f"{item.kind} to {item.intent.rolled_to}" if item.intent.rolled_to else item.kind
    names = ", ".join(moves if moves and item.kind != "run" else plan.commands)
    return (
        item.number,
        moment(item.requested_at),
        what,
        item.state,
        seconds,
        item.requested_by,
        names,
        cause,
    )


def _omission(item: Omission) -> tuple[object, ...]:
    since = f"{moment(item.since)} to " if item.since else ""
    why = f"due {since}{moment(item.due)}: {item.why}"
    return ("", moment(item.at), "run", item.kind, "", "schedule", item.command, why)
