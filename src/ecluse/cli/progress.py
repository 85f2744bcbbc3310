"""A deployment as it happens: a line per event on standard error, and how it ended."""

from __future__ import annotations

from datetime import datetime

from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show_json
from ecluse.errors import Busy, Cancelled, DeploymentFailed, EcluseError, NotRestored
from ecluse.model.deployment import Deployment, Pending
from ecluse.model.event import Recorded
from ecluse.model.plan import ALONE
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal

_COLOURS = {
    "change.failed": "red",
    "replica.failed": "red",
    "restore.failed": "red",
    "replica.ready": "green",
    "restore.started": "yellow",
    "change.started": "cyan",
}


def carry_out(invocation: Invocation, product: OpenProduct, proposal: Proposal, *, json: bool) -> Deployment:
    """Enqueues, follows to the end, and raises what a failure means. Ctrl-C detaches; the runner goes on."""
    from ecluse.server.launch import ensure_runner

    try:
        number = proposal.enqueue()
    except Busy:
        # what is in the way may have lost its runner, and must come to its end
        ensure_runner(product.product.name, product.settings)
        raise
    ensure_runner(product.product.name, product.settings)
    say(f"deployment {number} of {proposal.plan.environment}")
    return watch(invocation, product, proposal, number, json=json)


def watch(
    invocation: Invocation, product: OpenProduct, proposal: Proposal, number: int, *, json: bool
) -> Deployment:
    records = proposal.state.records
    try:
        invocation.run(_follow(product, proposal, number))
    except KeyboardInterrupt:
        environment = proposal.plan.environment
        say(f"\ndetached: deployment {number} goes on. `ecluse cancel {environment}` stops it")
        raise
    ended = records.deployment(number)
    if json:
        show_json(ended_facts(ended))
    if ended.state != "succeeded":
        _show_card(product, proposal, ended)
    raise_failure(ended)
    return ended


def _show_card(product: OpenProduct, proposal: Proposal, ended: Deployment) -> None:
    """All but the sentence, which the error that follows tells."""
    from ecluse.cli.card_view import show_evidence, show_rest
    from ecluse.wiring.why import read_card

    card = read_card(product, proposal.state, ended)
    if card is not None:
        show_evidence(card.cause, say)
        show_rest(card, say)


def ended_facts(ended: Deployment) -> dict[str, object]:
    """What `--json` tells of a deployment."""
    return {
        "number": ended.number,
        "environment": ended.environment,
        "kind": ended.kind,
        "state": ended.state,
        "requested_by": ended.requested_by,
        "requested_at": ended.requested_at,
        "started_at": ended.started_at,
        "ended_at": ended.ended_at,
        "seconds": ended.seconds,
        "steps": ended.intent.plan.steps,
        "commands": ended.intent.plan.commands,
        "revision": ended.intent.plan.revision,
        "rolled_to": ended.intent.rolled_to,
        "note": ended.intent.note,
        "cause": ended.cause,
    }


def raise_failure(ended: Deployment) -> None:
    """Nothing for a success; otherwise the error whose exit code says how it ended."""
    if ended.state == "succeeded":
        return
    sentence = ended.cause.sentence if ended.cause else "no cause is on record"
    kinds: dict[str, tuple[type[EcluseError], str]] = {
        "restored": (DeploymentFailed, "failed, and what was there runs again"),
        "cancelled": (Cancelled, "was cancelled, and what was there runs again"),
        "failed": (NotRestored, "failed"),
    }
    if ended.kind in ALONE:
        raise DeploymentFailed(sentence, hint=ended.cause.hint if ended.cause else None)
    error, words = kinds[ended.state]
    hint = ended.cause.hint if ended.cause else None
    raise error(f"deployment {ended.number} of {ended.environment} {words}: {sentence}", hint=hint)


async def _follow(product: OpenProduct, proposal: Proposal, number: int) -> None:
    from ecluse.delivery.follow import follow
    from ecluse.delivery.queue import waiting
    from ecluse.server.launch import ensure_runner

    def keep_alive() -> None:
        ensure_runner(product.product.name, product.settings)

    def waits(holder: Pending) -> None:
        say(f"         deployment {number} {waiting(holder)}", colour="yellow")

    begun: datetime | None = None
    async for recorded in follow(proposal.state.records, number, keep_alive=keep_alive, waits=waits):
        begun = begun or recorded.at
        tell(recorded, begun)


def tell(recorded: Recorded, begun: datetime) -> None:
    """One event in one line: seconds since the beginning, subject, what happened."""
    event = recorded.event
    seconds = (recorded.at - begun).total_seconds()
    subject = event.replica or event.subject
    what = event.kind.partition(".")[2] or event.kind
    message = (
        f"{what}: {event.message}" if event.message and event.kind != "output" else event.message or what
    )
    say(f"{seconds:7.1f}s  {subject:<28}  {message}", colour=_COLOURS.get(event.kind))
