"""`ecluse adopt`: takes over what runs when the record of it is gone."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation


@click.command()
@options.environment
@options.secrets
@options.yes
@options.as_json
@click.pass_obj
def adopt(invocation: Invocation, environment: str, *, secrets: Path | None, yes: bool, json: bool) -> None:
    """Takes over what runs in ENV, when the state directory was lost. Nothing is restarted.

    Services that run just as the product's files say become known good. Others are left alone, and named. Secrets are
    read back from the containers; those that cannot be are asked for, in the file of --secrets.
    """
    from ecluse.cli.commands.consent import ask
    from ecluse.cli.lock import export_lock
    from ecluse.cli.output import say
    from ecluse.cli.plan_view import show_plan
    from ecluse.cli.progress import watch
    from ecluse.errors import Refused
    from ecluse.server.launch import ensure_runner
    from ecluse.wiring.adopting import find_running, propose_adoption

    product = invocation.open(secrets=secrets)
    place = product.environment(environment)
    observed = invocation.run(find_running(product, place))
    if product.key == "back":
        say("the key of the vault is back: the gateway's container had kept it")
    adoption = invocation.run(propose_adoption(product, place, observed, product.acting))
    if product.key == "new":
        say("the key of the vault is gone, and no gateway kept it: there is another one now", colour="yellow")
    for name in adoption.kept:
        say(f"the passwords of {name} follow from another key: they are kept, `ecluse rotate` makes new ones")
    for sentence in adoption.left_alone:
        say(f"left alone: {sentence}", colour="yellow")
    if not adoption.services:
        raise Refused(
            f"nothing in {environment} runs as the product's files say",
            hint=f"ecluse deploy {environment} replaces what runs, one after the other",
        )
    if not json:
        say(f"known good: {', '.join(adoption.services)}")
        for name in adoption.unmarked:
            say(
                f"{name} runs as the files say, under a mark of another key: "
                "the next deployment replaces it, one replica after the other"
            )
        for change in adoption.ran:
            say(f"ran already: {change.subject}, for what it prepared runs")
        show_plan(adoption.proposal.plan)
    ask(f"take over what runs in {environment}?", yes=yes)
    number = adoption.proposal.enqueue()
    adoption.enter(number)
    ensure_runner(product.product.name, product.settings)
    watch(invocation, product, adoption.proposal, number, json=json)
    export_lock(product, place)
