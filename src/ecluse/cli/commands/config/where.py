"""`ecluse config where`: every place that speaks of a key."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show_json, table


@click.command()
@options.key
@options.as_json
@click.pass_obj
def where(invocation: Invocation, key: str, *, json: bool) -> None:
    """Lists where KEY is declared, given and referred to, and for whom each value wins."""
    from ecluse.cli.config_view import SECRET, origin_facts, short
    from ecluse.config.whereabouts import known_keys, places_of
    from ecluse.errors import NotFound, nearest
    from ecluse.wiring.questions import Questions

    sights = Questions(invocation.open()).sights()
    places = places_of(key.removeprefix("app."), sights)
    if not places:
        raise NotFound(f"no place speaks of {key}", hint=nearest(key, known_keys(sights)))
    if json:
        show_json([
            {"kind": one.kind, "value": one.shown, "origin": origin_facts(one.origin), "wins": one.wins}
            for one in places
        ])  # fmt: skip
        return
    rows = [
        (one.kind, SECRET if one.shown is None else short(one.shown), one.origin, _wins(one.wins))
        for one in places
    ]
    table(("", "what", "where", "wins in"), rows)


def _wins(wins: tuple[str, ...]) -> str:
    return ", ".join(wins) if len(wins) <= 6 else f"{', '.join(wins[:5])} and {len(wins) - 5} more"
