"""What the last lines of a program make of a cause, and what they must not make of it."""

from __future__ import annotations

from ecluse.engines.docker.attempts import Attempt, Streak, patience
from ecluse.engines.docker.idleness import Leniency
from ecluse.engines.docker.symptoms import sharpened
from ecluse.model.application import File
from ecluse.model.cause import Cause
from ecluse.model.names import ServiceName
from ecluse.model.workload import Box
from tests.unit.delivery.samples import release

UP = {"api": True, "ledger": True, "db": True}


def box(*, uses: tuple[str, ...] = (), backing: tuple[str, ...] = ()) -> Box:
    files = (File("/config/app.ini", "x", 0o440),)
    return Box(release("api"), (), {}, files, tuple(map(ServiceName, uses)), backing, None, None)


def told(*logs: str, around: dict[str, bool] | None = None, inside: Box | None = None) -> Cause:
    cause = Cause("exited", "api/web", "api/web exited with code 1 before it was ready", ("code 1",), logs)
    return sharpened(cause, inside or box(), UP if around is None else around)


def test_a_log_that_says_nothing_special_changes_nothing() -> None:
    found = told("starting", "no such table: ledger", "cannot open the door")
    assert (found.kind, found.sentence) == ("exited", "api/web exited with code 1 before it was ready")


def test_a_file_is_blamed_only_when_the_line_that_names_it_complains() -> None:
    assert told("loaded /config/app.ini", "division by zero").kind == "exited"
    found = told("PHP Warning: syntax error in /config/app.ini on line 3")
    assert found.kind == "configuration-unreadable"
    assert found.evidence[-1] == "its log: PHP Warning: syntax error in /config/app.ini on line 3"


def test_a_neighbour_that_is_declared_and_down_is_named() -> None:
    inside = box(uses=("ledger",), backing=("db",))
    found = told("timeout", around={"ledger": True, "db": False}, inside=inside)
    assert found.kind == "dependency-down"
    assert found.sentence.endswith("; it needs db, which does not run here")
    assert told("timeout", inside=inside).kind == "exited"


def test_a_name_that_cannot_be_resolved_is_held_against_the_declaration_only_where_there_is_such_a_neighbour() -> (
    None
):
    line = "php_network_getaddresses: getaddrinfo for db failed: Name or service not known"
    assert told(line).sentence.endswith(": it looks for db, which it does not declare")
    assert (
        told(line, inside=box(backing=("db",))).sentence == "api/web exited with code 1 before it was ready"
    )
    assert (
        told("getaddrinfo failed: db.example.org").sentence
        == "api/web exited with code 1 before it was ready"
    )


def test_answers_that_mean_not_yet_have_the_whole_deadline() -> None:
    def http(code: int) -> Attempt:
        return Attempt("answered", "GET /health on port 80", code)

    assert [patience(http(code)) for code in (503, 502, 504, 429)] == [None] * 4
    assert (patience(http(404)), patience(http(500))) == (5.0, 10.0)
    assert patience(Attempt("answered", "the command sh", 1)) is None
    assert patience(Attempt("silent", "GET /health on port 80")) is None


def test_a_refusal_is_steady_after_five_times_and_begins_anew_with_another_answer() -> None:
    refused, broken = (Attempt("answered", "GET /", code) for code in (404, 500))
    streak = Streak()
    for second in range(5):
        assert not streak.is_terminal(refused, second)
        streak = streak.joined(refused, second)
    assert (streak.times, streak.is_terminal(refused, 4.9), streak.is_terminal(refused, 5)) == (
        5,
        False,
        True,
    )
    assert streak.joined(broken, 7) == Streak(500, 7, 1)
    assert streak.joined(Attempt("silent", "GET /"), 7) == Streak()


def test_a_program_that_works_may_go_on_longer_than_one_that_waits() -> None:
    waiting, working, unseen = Leniency(), Leniency(), Leniency()
    for second in range(2):
        assert not waiting.is_over(second, 0.0)
    assert waiting.is_over(2, 0.0)
    waiting.forget()
    assert not waiting.is_over(3, 0.0)
    assert [working.is_over(second, second / 2) for second in range(16)] == [False] * 15 + [True]
    assert [unseen.is_over(second, None) for second in range(6)] == [False] * 5 + [True]
