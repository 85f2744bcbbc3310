"""`ecluse crons`: what runs on a schedule, what ran, what did not, and what it wrote."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json

RUNS = 10
LOGS = 3


@click.command()
@options.environment
@click.argument("cron", required=False, metavar="[SERVICE/NAME]")
@click.option(
    "--logs", type=click.IntRange(min=1), is_flag=False, flag_value=LOGS, metavar="[N]",
    help=f"What the last N runs wrote ({LOGS}, without N).",
)  # fmt: skip
@options.as_json
@click.pass_obj
def crons(
    invocation: Invocation, environment: str, cron: str | None, *, logs: int | None, json: bool
) -> None:
    """Lists the crons of ENV: when each runs next, how it ran last, and which times passed without a run.

    With SERVICE/NAME, one of them and its last runs. `ecluse run ENV SERVICE NAME` runs one now.
    """
    from ecluse.cli.crons_view import cron_facts, show_cron, show_crons
    from ecluse.errors import UsageError
    from ecluse.server.launch import find_runner
    from ecluse.wiring.crons import read_cron, read_crons

    product = invocation.open()
    place = product.environment(environment)
    if logs is not None:
        if cron is None:
            raise UsageError("--logs: of which cron?", hint=f"ecluse crons {environment} SERVICE/NAME --logs")
        _show_logs(invocation, environment, cron, logs, json=json)
        return
    if cron is not None:
        found = [read_cron(product.reading, place, cron, runs=RUNS)]
    else:
        found = read_crons(product.reading, place)
    if json:
        show_json([cron_facts(status) for status in found])
    elif cron is not None:
        show_cron(found[0])
    elif found:
        show_crons(found)
    else:
        show(f"{environment}: no service that runs here has a cron")
    runner = find_runner(product.settings.product_state(product.product.name))
    if runner is None and any(status.cron.enabled for status in found):
        say(
            "no runner is at work: nothing starts on time. `ecluse doctor` offers the unit that starts it at boot"
        )


def _show_logs(invocation: Invocation, environment: str, cron: str, count: int, *, json: bool) -> None:
    """The output of the last runs, the newest last, as one reads a log."""
    from ecluse.cli.crons_view import show_output
    from ecluse.wiring.crons import read_cron, read_output

    product = invocation.open()
    state = product.reading
    status = read_cron(state, product.environment(environment), cron, runs=count)
    runs = [(run, read_output(state, run)) for run in reversed(status.runs)]
    if json:
        show_json([{"run": run, "lines": [line.event.message for line in lines]} for run, lines in runs])
        return
    if not runs:
        show(f"{cron} never ran in {environment}")
    for run, lines in runs:
        show_output(run, lines)
