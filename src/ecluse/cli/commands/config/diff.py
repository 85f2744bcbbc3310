"""`ecluse config diff`: what differs between two environments, or from an earlier revision."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show, show_json


@click.command()
@options.environment
@click.argument("words", nargs=-1, metavar="[OTHER] [SERVICE]")
@click.option("--at", "revision", metavar="REVISION", help="Compare ENV with itself at a revision of git.")
@click.option("--strict", is_flag=True, help="End with code 5 when a difference is not explained.")
@options.as_json
@click.pass_obj
def diff(
    invocation: Invocation, environment: str, words: tuple[str, ...], *,
    revision: str | None, strict: bool, json: bool,
) -> None:  # fmt: skip
    """Lists every difference between ENV and OTHER, each with its reason, or marked as unexplained.

    A reason is written in a layer, beside the value: `reasons: {app.KEY: why}`; for what ecluse.yaml says, under
    the environment. With --at, what changed in ENV since a revision.
    """
    from ecluse.cli.config_view import disparity_facts, show_changes, show_disparities
    from ecluse.errors import Refused, UsageError
    from ecluse.wiring.questions import Questions, compare

    other, *rest = (environment, *words) if revision else (*words, None)
    service = rest[0] if rest else None
    if other is None or len(rest) > 2:
        raise UsageError(
            "compare with what?", hint=f"ecluse config diff {environment} OTHER, or --at REVISION"
        )
    questions = Questions(invocation.open())
    found = compare(questions, environment, other, service, revision=revision)
    unexplained = [one for one in found if one.reason is None]
    names = (f"{environment} at {revision}", environment) if revision else (environment, other)
    if json:
        show_json([disparity_facts(one) for one in found])
    elif not found:
        show(f"{names[0]} and {names[1]}: no difference")
    elif revision:
        show(f"{names[0]} → now: {len(found)} different")
        show_changes(found, questions.author)
    else:
        show(f"{names[0]} → {names[1]}: {len(found)} different, {len(unexplained)} unexplained")
        show_disparities(found, *names)
    if strict and unexplained:
        raise Refused(
            f"{len(unexplained)} differences are not explained", hint="write `reasons:` beside the values"
        )
