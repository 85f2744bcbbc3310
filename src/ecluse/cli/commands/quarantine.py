"""`ecluse quarantine`: the releases that are kept out of an environment, and the way back in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import moment, say, show, show_json, table

if TYPE_CHECKING:
    from ecluse.model.quarantine import Quarantined


@click.command()
@options.environment
@click.option("--lift", metavar="SERVICE", help="Let the releases of SERVICE in again.")
@options.as_json
@click.pass_obj
def quarantine(invocation: Invocation, environment: str, *, lift: str | None, json: bool) -> None:
    """Lists the releases that failed in ENV and are refused there, or lifts that.

    A release is known by what its image holds and by what its service.yaml and templates say. It is let in again by
    --lift, by `deploy --override REASON`, or by a deployment that brings it well. Where the environment's
    configuration was new as well, the release is refused with that configuration only.
    """
    from ecluse.errors import NotFound

    product = invocation.open()
    place = product.environment(environment)
    if lift is None:
        found = product.reading.records.quarantined(place.name)
    else:
        found = product.acting.records.lift(place.name, product.service(lift))
        if not found:
            raise NotFound(f"no release of {lift} is quarantined in {environment}")
    if json:
        show_json(found)
    elif lift is not None:
        for item in found:
            say(f"{item.service} {item.version} may come to {environment} again")
    elif not found:
        show(f"{environment}: nothing is quarantined")
    else:
        rows = [
            (item.service, item.version, _configuration(item), moment(item.at), item.deployment, item.reason)
            for item in found
        ]
        table(("service", "version", "configuration", "since", "deployment", "reason"), rows)


def _configuration(item: Quarantined) -> str:
    return "that of then" if item.configuration else "any"
