from __future__ import annotations

import pytest

from ecluse.engines.docker.judgement import Tally, errors_rose, slower, together, weights

CALM = Tally(2000, 2, 0.02)
UNKNOWN = Tally()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CALM, Tally(3, 3)),
        (CALM, Tally(40, 12)),
        (CALM, Tally(100_000, 5000)),
        (UNKNOWN, Tally(10, 10)),
        (Tally(1000, 300), Tally(1000, 500)),
    ],
)
def test_a_rise_of_errors_is_seen(old: Tally, new: Tally) -> None:
    cause = errors_rose("api/web", old, new)
    assert cause is not None
    assert cause.kind == "errors-rose"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CALM, Tally(2, 2)),
        (CALM, Tally(2000, 6)),
        (CALM, Tally(100, 4)),
        (CALM, UNKNOWN),
        (UNKNOWN, Tally(5, 5)),
        (Tally(1000, 300), Tally(1000, 320)),
        (Tally(1000, 300), Tally(1000, 10)),
    ],
)
def test_what_chance_explains_is_no_rise(old: Tally, new: Tally) -> None:
    assert errors_rose("api/web", old, new) is None


def test_the_cause_has_the_figures() -> None:
    cause = errors_rose("api/web", Tally(900, 1, 0.09), Tally(40, 12, 0.1))
    assert cause is not None
    assert cause.sentence == (
        "api/web fails more often: 12 of 40 answers (30.0%) are errors, "
        "against 1 of 900 answers (0.1%) of the release before"
    )
    assert cause.evidence == (
        "new release: 40 answers, 12 errors, 100 ms on average",
        "release before: 900 answers, 1 errors, 90 ms on average",
    )


def test_answers_that_take_much_longer_are_seen() -> None:
    cause = slower("api/web", Tally(900, 0, 0.09), Tally(60, 0, 0.82))
    assert cause is not None
    assert cause.kind == "slower"
    assert cause.sentence == (
        "api/web is slower than before: an answer takes 820 ms on average over 60, "
        "against 90 ms over 900 of the release before"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Tally(900, 0, 0.09), Tally(49, 0, 5.0)),
        (Tally(49, 0, 0.09), Tally(900, 0, 5.0)),
        (Tally(900, 0, 0.01), Tally(900, 0, 0.1)),
        (Tally(900, 0, 2.0), Tally(900, 0, 4.0)),
    ],
)
def test_few_answers_and_small_differences_are_no_reason(old: Tally, new: Tally) -> None:
    assert slower("api/web", old, new) is None


def test_counters_that_began_anew_count_from_zero() -> None:
    assert Tally(10, 1, 0.5).since(Tally(4, 1, 0.1)) == Tally(6, 0, 0.5)
    assert Tally(3, 0, 0.5).since(Tally(4, 1, 0.1)) == Tally(3, 0, 0.5)


def test_servers_count_together_by_their_answers() -> None:
    assert together([Tally(30, 1, 0.1), Tally(10, 2, 0.5)]) == Tally(40, 3, pytest.approx(0.2))
    assert together([]) == Tally()


@pytest.mark.parametrize(("share", "old", "new"), [(0.1, 1, 1), (0.01, 3, 1), (0.5, 2, 5), (0.99, 1, 7)])
def test_weights_share_the_requests(share: float, old: int, new: int) -> None:
    before, after = weights(share, old, new)
    assert after * new / (after * new + before * old) == pytest.approx(share, abs=0.02)
    assert 1 <= min(before, after) <= max(before, after) <= 256
