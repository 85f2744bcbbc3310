"""What the answers to a probe mean: when they are waited for no longer, and the cause that they make. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ecluse.engines.docker.listeners import Listener
from ecluse.model.cause import Cause

STEADY_TIMES = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last answer to a probe.

    answered: an HTTP status other than 2xx and 3xx, or a command's exit code other than 0, in `code`.
    refused: nothing listens on the port. silent: no answer within the probe's timeout.
    """

    outcome: Literal["ok", "answered", "refused", "silent"]
    what: str
    code: int = 0
    text: str = ""

    @property
    def is_http(self) -> bool:
        return self.what.startswith("GET ")


@dataclass(frozen=True, slots=True)
class Streak:
    """The same answer again and again. since: when it came first, in seconds of any clock."""

    code: int = 0
    since: float = 0.0
    times: int = 0

    def joined(self, attempt: Attempt, now: float) -> Streak:
        if patience(attempt) is None:
            return Streak()
        if self.times and self.code == attempt.code:
            return replace(self, times=self.times + 1)
        return Streak(attempt.code, now, 1)

    def is_terminal(self, attempt: Attempt, now: float) -> bool:
        """Has it come often and long enough, and is it one that waiting does not mend?"""
        limit = patience(attempt)
        return limit is not None and now - self.since >= limit and self.times >= STEADY_TIMES


def patience(attempt: Attempt) -> float | None:
    """After how many seconds of the same answer a probe need not go on; None: only its deadline tells.

    A program that is starting says so with 502, 503 or 504 (RFC 9110, section 15.6), 425 or 429; commands wait for
    things in ways of their own. Asking a wrong address will not get better.
    """
    if attempt.outcome != "answered" or not attempt.is_http or attempt.code in (408, 425, 429, 502, 503, 504):
        return None
    return 5.0 if attempt.code < 500 else 10.0


def not_ready(subject: str, attempt: Attempt, *, seconds: float, logs: Sequence[str]) -> Cause:
    """A probe that did not succeed until its deadline."""
    limit = f"within {seconds:g} s"
    if attempt.outcome == "answered":
        evidence = (f"{attempt.what}: {_answer(attempt)}", *_quoted(attempt.text), f"deadline: {seconds:g} s")
        return _refusing(subject, attempt, "until the deadline", evidence, logs)
    if attempt.outcome == "refused":
        sentence = f"{subject} runs but nothing listened on {attempt.what} {limit}"
        return Cause(
            "probe-silent", subject, sentence, (f"{attempt.what}: connection refused",), tuple(logs),
            hint="does it start what listens? raise `probe: {deadline}` if it only needs longer",
        )  # fmt: skip
    sentence = f"{subject} runs but {attempt.what} did not answer {limit}"
    return Cause(
        "probe-silent", subject, sentence, (f"{attempt.what}: no answer",), tuple(logs),
        hint="raise `probe: {timeout, deadline}` if it is slow to start",
    )  # fmt: skip


def steadily_refused(
    subject: str, attempt: Attempt, *, times: int, seconds: float, logs: Sequence[str]
) -> Cause:
    """A probe that gave the same answer again and again, one that does not mean `not yet`."""
    evidence = (
        f"{attempt.what}: {_answer(attempt)}, {times} times in {seconds:.0f} s",
        *_quoted(attempt.text),
    )
    return _refusing(subject, attempt, "every time", evidence, logs)


def elsewhere(subject: str, port: int, heard: Sequence[Listener], logs: Sequence[str]) -> Cause:
    """The declared port is closed while the program listens on others, or only for itself."""
    if any(item.port == port for item in heard):
        sentence = f"{subject} listens on port {port} of 127.0.0.1 only, where nobody else can reach it"
        hint = f"make it listen on 0.0.0.0:{port}"
    else:
        ports = ", ".join(str(item) for item in sorted({item.port for item in heard}))
        sentence = f"{subject} should listen on port {port}, but listens on {ports}"
        hint = f"declare `port: {ports}`, or make the program listen on {port}"
    evidence = [f"port {port}: connection refused", *(_heard(item) for item in heard)]
    return Cause("wrong-port", subject, sentence, tuple(evidence), tuple(logs), hint=hint)


def _refusing(
    subject: str, attempt: Attempt, when: str, evidence: Sequence[str], logs: Sequence[str]
) -> Cause:
    sentence = f"{subject} runs but is not well: {attempt.what} gave {_answer(attempt)} {when}"
    hint = _ANSWERS.get(attempt.code) if attempt.is_http else "run the command yourself: `ecluse exec`"
    return Cause(
        "probe-refused", subject, sentence, tuple(evidence), tuple(logs),
        hint=hint or "what it logged at that address tells more; 503 is the answer for `not ready yet`",
    )  # fmt: skip


def _answer(attempt: Attempt) -> str:
    return f"status {attempt.code}" if attempt.is_http else f"exit code {attempt.code}"


def _quoted(text: str) -> list[str]:
    line = " ".join(text.split())
    return [f"it said: {line[:300]}"] if line else []


def _heard(item: Listener) -> str:
    return f"listens on {'127.0.0.1' if item.is_local else '0.0.0.0'}:{item.port}"


_LOGIN = "give the probe an address that answers without a login"


_ANSWERS = {
    400: "the program refuses the request itself: does it know the Host that is asked for?",
    401: _LOGIN,
    403: _LOGIN,
    404: "is `probe: {path}` an address that the program has?",
    405: "the probe sends GET: give it an address that takes it",
    503: "it says that it is not ready: raise `probe: {deadline}` if it only needs longer",
}
