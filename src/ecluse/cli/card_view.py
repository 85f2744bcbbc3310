"""A cause card for people: why, the evidence, what had changed, what was done, what to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ecluse.cli.output import moment
from ecluse.cli.plan_view import describe
from ecluse.model.card import Card, Changed
from ecluse.model.cause import Cause

Say = Callable[[str], None]


def show_card(card: Card, say: Say) -> None:
    """The whole card."""
    say(
        f"deployment {card.deployment} of {card.environment} ({card.kind}, asked by {card.requested_by} "
        f"at {moment(card.requested_at)}): {card.state}"
    )
    say(f"why: {card.cause.sentence}")
    show_evidence(card.cause, say)
    show_rest(card, say)


def show_evidence(cause: Cause, say: Say) -> None:
    for line in cause.evidence:
        say(f"    {line}")
    if cause.logs:
        say("last lines of its log:")
        for line in cause.logs:
            say(f"    | {line}")


def show_rest(card: Card, say: Say) -> None:
    """What had changed, what was done, what to try."""
    for item in card.changed:
        for line in _changed(item):
            say(line)
    for heading, lines in (("done:", card.done), ("try:", card.advice)):
        if lines:
            say(heading)
            for line in lines:
                say(f"    {line}")


def _changed(item: Changed) -> Iterator[str]:
    since = f"since deployment {item.good}" if item.good else "and never ran well here before"
    yield f"changed in {item.service}, {since}:" if item.good else f"{item.service} is new here, {since}"
    before, after = item.version
    if before and after:
        same = " (the same)" if before == after else ""
        yield f"    version  {before} → {after}{same}"
    elif after:
        yield f"    version  {after}"
    if item.commit[0] != item.commit[1] and item.commit[1]:
        yield f"    commit   {item.commit[0] or '(none)'} → {item.commit[1]}"
    for line in item.commits:
        yield f"        {line}"
    for difference in item.differences:
        yield f"    {difference.what}  {describe(difference)}"
