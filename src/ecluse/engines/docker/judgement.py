"""How a new release is let into traffic, and whether its first answers are worse than those before. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ecluse.model.cause import Cause

WHOLE = 100
"""The weight of a replica that takes its full part of the traffic."""
MOST = 256
"""The highest weight that HAProxy knows."""
DOUBT = 0.001
"""How improbable the errors must be, for a release that is as good as the old one, to be held against it."""
LEAST_RATE = 0.02
"""Errors that no release is blamed for: two in a hundred."""
LEAST_ERRORS = 3
LEAST_ANSWERS = 50
"""Times are compared over at least as many answers on both sides."""
SLOWER_TIMES = 3.0
SLOWER_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Tally:
    """What a gateway counted of some servers. errors: answers with 5xx, and requests without any answer.

    seconds: how long an answer took to begin, on average over the last ones.
    """

    answers: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.errors / self.answers if self.answers else 0.0

    def since(self, before: Tally) -> Tally:
        """What was counted after `before`; all of it when the counters began anew in between."""
        if self.answers < before.answers or self.errors < before.errors:
            return self
        return Tally(self.answers - before.answers, self.errors - before.errors, self.seconds)


def together(tallies: Iterable[Tally]) -> Tally:
    found = list(tallies)
    answers = sum(item.answers for item in found)
    seconds = sum(item.seconds * item.answers for item in found) / answers if answers else 0.0
    return Tally(answers, sum(item.errors for item in found), seconds)


def errors_rose(subject: str, old: Tally, new: Tally) -> Cause | None:
    """Is it beyond doubt that more answers fail than before?"""
    # the rule of succession: the less is known of the old ones, the more is forgiven
    likely = max(LEAST_RATE, (old.errors + 1) / (old.answers + 2))
    if new.errors < LEAST_ERRORS or _chance(new.answers, new.errors, likely) > DOUBT:
        return None
    sentence = (
        f"{subject} fails more often: {_errors(new)} are errors, against {_errors(old)} of the release before"
    )
    return Cause("errors-rose", subject, sentence, _evidence(old, new), hint=_HINT)


def slower(subject: str, old: Tally, new: Tally) -> Cause | None:
    """Does the average answer take much longer than before?"""
    if min(old.answers, new.answers) < LEAST_ANSWERS:
        return None
    if new.seconds < old.seconds * SLOWER_TIMES or new.seconds - old.seconds < SLOWER_SECONDS:
        return None
    sentence = (
        f"{subject} is slower than before: an answer takes {_time(new)} on average over {new.answers}, "
        f"against {_time(old)} over {old.answers} of the release before"
    )
    return Cause("slower", subject, sentence, _evidence(old, new), hint=_HINT)


def weights(share: float, old: int, new: int) -> tuple[int, int]:
    """The weights of each old and each new replica that send `share` of the traffic to the new ones."""
    parts = ((1 - share) / old, share / new)
    scale = MOST / max(parts)
    before, after = (max(1, round(part * scale)) for part in parts)
    return before, after


def _chance(answers: int, errors: int, likely: float) -> float:
    """At most the probability of as many errors among the answers, when each fails with probability `likely`
    (Hoeffding 1963, theorem 1)."""
    rate = errors / max(answers, errors)
    if rate <= likely:
        return 1.0
    distance = rate * math.log(rate / likely)
    if rate < 1:
        distance += (1 - rate) * math.log((1 - rate) / (1 - likely))
    return math.exp(-answers * distance)


def _errors(tally: Tally) -> str:
    return f"{tally.errors} of {tally.answers} answers ({tally.rate:.1%})"


def _time(tally: Tally) -> str:
    return f"{tally.seconds * 1000:.0f} ms"


def _evidence(old: Tally, new: Tally) -> tuple[str, ...]:
    return tuple(
        f"{name}: {item.answers} answers, {item.errors} errors, {_time(item)} on average"
        for name, item in (("new release", new), ("release before", old))
    )


_HINT = "its own log tells why; where this is meant, `rollout: {judge: false}` lets it through"
