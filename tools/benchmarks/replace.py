"""Replaces a service again and again under a steady load: what is lost, what is slower, how long it takes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.installed import installed
from benchmarks.kinds import KINDS
from benchmarks.load import Load, Sample
from benchmarks.shown import milliseconds, percentile, progress, table
from benchmarks.subject import BOOT_SECONDS, subject
from benchmarks.ways import ByEcluse, Missing, Way, by_compose, by_kamal, wait_answering

BEFORE_SECONDS = 30.0
BETWEEN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Round:
    """One replacement, in time.monotonic()."""

    version: str
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way did under load. quiet: the samples before the first replacement."""

    name: str
    rounds: Sequence[Round]
    quiet: Sequence[Sample]
    busy: Sequence[Sample]

    def lost(self, kind: str | None = None) -> list[Sample]:
        return [item for item in self.busy if item.lost and kind in (None, item.kind)]

    def until_new(self) -> list[float]:
        """Per round: from the command to the first answer of the new version, less the boot. Seconds."""
        first: dict[str, float] = {}
        for sample in self.busy:
            if not sample.lost:
                first[sample.version] = min(sample.ended, first.get(sample.version, sample.ended))
        return [
            first[item.version] - item.begun - BOOT_SECONDS for item in self.rounds if item.version in first
        ]

    def whole(self) -> list[float]:
        """Per round: the whole command, less the boot. Seconds."""
        return [item.ended - item.begun - BOOT_SECONDS for item in self.rounds]

    def stale(self) -> int:
        """Answers of another version to requests sent after a command had ended and before the next began."""
        nexts = [*(item.begun for item in self.rounds[1:]), float("inf")]
        return sum(
            not sample.lost and sample.version != done.version
            for done, following in zip(self.rounds, nexts, strict=True)
            for sample in self.busy
            if done.ended < sample.sent and sample.ended < following
        )


def bench_replace(rounds: int, rival_rounds: int) -> None:
    print("Replacing a service that boots in one second, under a steady load without retries")
    asyncio.run(_replace(rounds, rival_rounds))
    print(flush=True)


async def _replace(rounds: int, rival_rounds: int) -> None:
    outcomes = []
    with subject() as root, installed(root, secure=True) as ecluse:
        ecluse.ok("build", "--quiet", "--version", "1")
        outcomes.append(await measure(ByEcluse(ecluse), rounds))
        for open_rival in (by_compose, by_kamal):
            try:
                async with open_rival() as way:
                    outcomes.append(await measure(way, rival_rounds))
            except Missing as error:
                print(f"\n  skipped: {error}")
    show_ratios(outcomes)


async def measure(way: Way, rounds: int) -> Outcome:
    """Brings the first version, lets the load run for a while, then replaces `rounds` times."""
    progress(f"{way.name}: {rounds} replacements")
    await way.bring("0")
    await wait_answering(way.where.port)
    load = Load(way.where)
    done = []
    async with load.running():
        await asyncio.sleep(BEFORE_SECONDS)
        for number in range(1, rounds + 1):
            done.append(await _round(way, str(number)))
            await asyncio.sleep(BETWEEN_SECONDS)
            if number % 5 == 0:
                lost = sum(item.lost is not None for item in load.samples)
                progress(f"{way.name}: {number} of {rounds}, {len(load.samples)} requests, {lost} lost")
    quiet = [item for item in load.samples if item.ended < done[0].begun]
    busy = [item for item in load.samples if item.ended >= done[0].begun]
    outcome = Outcome(way.name, done, quiet, busy)
    show(outcome)
    return outcome


async def _round(way: Way, version: str) -> Round:
    begun = time.monotonic()
    await way.bring(version)
    return Round(version, begun, time.monotonic())


def show(outcome: Outcome) -> None:
    made = {sample.kind for sample in outcome.busy}
    kinds = [kind.name for kind in KINDS if kind.name in made]
    head = (f"{outcome.name}, {len(outcome.rounds)} replacements", "requests", "lost", "p50 before", "during",
            "p99 before", "during ms")  # fmt: skip
    print()
    table(head, [_row(outcome, kind) for kind in kinds])
    for reason, count in Counter((item.kind, item.lost) for item in outcome.lost()).most_common():
        print(f"    lost, {reason[0]}: {reason[1]}: {count}")
    early = [item for item in outcome.quiet if item.lost]
    if early:
        print(f"    lost before any replacement: {len(early)} of {len(outcome.quiet)}")
    print(f"    answers of an older version after its replacement was done: {outcome.stale()}")
    _spread("command to the first answer of the new version, less the boot", outcome.until_new())
    _spread("whole command, less the boot", outcome.whole())


def _row(outcome: Outcome, kind: str) -> tuple[str, ...]:
    quiet, busy = (_seconds(samples, kind) for samples in (outcome.quiet, outcome.busy))
    return (
        kind, str(sum(item.kind == kind for item in outcome.busy)), str(len(outcome.lost(kind))),
        milliseconds(percentile(quiet, 0.5)), milliseconds(percentile(busy, 0.5)),
        milliseconds(percentile(quiet, 0.99)), milliseconds(percentile(busy, 0.99)),
    )  # fmt: skip


def _seconds(samples: Iterable[Sample], kind: str) -> list[float]:
    return [item.seconds for item in samples if item.kind == kind and not item.lost]


def _spread(name: str, seconds: Sequence[float]) -> None:
    if seconds:
        print(f"    {name}: {statistics.median(seconds):.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})")


def show_ratios(outcomes: Sequence[Outcome]) -> None:
    """Each way against Écluse in this run."""
    ours = outcomes[0]
    print("\n  Together, and against ecluse in this run")
    rows = [_summary(outcome, ours) for outcome in outcomes]
    table(("", "rounds", "lost a round", "to the new one", "ratio", "whole command", "ratio"), rows)


def _summary(outcome: Outcome, ours: Outcome) -> tuple[str, ...]:
    rate = len(outcome.lost()) / len(outcome.rounds)
    timed = [
        text
        for figure in (Outcome.until_new, Outcome.whole)
        for text in (f"{statistics.median(figure(outcome)):.2f} s", _ratio(outcome, ours, figure))
    ]
    return (outcome.name, str(len(outcome.rounds)), f"{rate:.2f}", *timed)


def _ratio(outcome: Outcome, ours: Outcome, figure: Callable[[Outcome], Sequence[float]]) -> str:
    return f"{statistics.median(figure(outcome)) / statistics.median(figure(ours)):.2f}"
