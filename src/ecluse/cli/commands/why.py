"""`ecluse why`: the cause card of a deployment that failed."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json


@click.command()
@options.environment
@click.argument("number", type=int, required=False, metavar="[DEPLOYMENT]")
@options.as_json
@click.pass_obj
def why(invocation: Invocation, environment: str, number: int | None, *, json: bool) -> None:
    """Tells why a deployment of ENV failed (the last one that did, by default).

    The cause in one sentence, the evidence, what had changed since it last ran well, what was done, what to try.
    """
    from ecluse.cli.card_view import show_card
    from ecluse.wiring.why import last_failed, read_card

    product = invocation.open()
    place = product.environment(environment)
    deployment = last_failed(product.reading, place.name, number)
    card = read_card(product, product.reading, deployment)
    if json:
        show_json(card)
    elif card is None:
        show(f"deployment {deployment.number} of {environment}: {deployment.state}, no cause is on record")
    else:
        show_card(card, show)
