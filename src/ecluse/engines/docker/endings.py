"""How a program ended, in words and as the cause of a failure. Pure."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecluse.model.cause import Cause, CauseKind

_TERMINATED = 128


@dataclass(frozen=True, slots=True)
class Death:
    """One end of a program. is_starved: it was killed for want of memory."""

    code: int
    is_starved: bool


def how_it_ended(state: Mapping[str, Any]) -> str:
    code = int(state["ExitCode"])
    if state.get("OOMKilled"):
        return f"killed for want of memory (exit code {code})"
    if code > _TERMINATED:
        return f"ended by {_signal(code - _TERMINATED)} (exit code {code})"
    return f"exited with code {code}"


def ended(subject: str, inspected: Mapping[str, Any], logs: Sequence[str]) -> Cause:
    """A program that ended although it should go on."""
    state = inspected["State"]
    how = how_it_ended(state)
    evidence = [how, *([f"Docker: {state['Error']}"] if state.get("Error") else [])]
    if state.get("OOMKilled"):
        return _starved(subject, inspected, evidence, logs)
    sentence = f"{subject} {how} before it was ready"
    return Cause(
        "exited", subject, sentence, tuple(evidence), tuple(logs), hint=_exit_hint(int(state["ExitCode"]))
    )


def ended_later(
    subject: str, inspected: Mapping[str, Any], deaths: Sequence[Death], logs: Sequence[str]
) -> Cause:
    """A program that was ready, and ended before the deployment did. Docker has started it again since, or not."""
    state = inspected["State"]
    if deaths:
        last = deaths[-1]
        state = {"ExitCode": last.code, "OOMKilled": last.is_starved, "Error": ""}
    how = how_it_ended(state)
    again = [f"Docker started it again {len(deaths)} times"] if len(deaths) > 1 else []
    if state.get("OOMKilled"):
        return _starved(subject, inspected, (how, *again), logs)
    sentence = f"{subject} {how} soon after it was ready"
    hint = _exit_hint(int(state["ExitCode"])) or "it started well: what it did next is in its log"
    return Cause("exited", subject, sentence, (how, *again), tuple(logs), hint=hint)


def vanished(subject: str, left: int, wanted: int) -> Cause:
    """Replicas that were made are not there any more: removed by hand, or by another program."""
    sentence = f"{subject}: {left} of {wanted} are left of what this deployment made"
    hint = "somebody removes containers beside Écluse: `docker events` tells who"
    return Cause("engine", subject, sentence, (f"{wanted - left} removed",), hint=hint)


def task_failed(subject: str, state: Mapping[str, Any], logs: Sequence[str]) -> Cause:
    how = how_it_ended(state)
    kind: CauseKind = "out-of-memory" if state.get("OOMKilled") else "task-failed"
    hint = (
        _exit_hint(int(state["ExitCode"]))
        or f"try it again by hand: ecluse run ENV {subject.replace('/', ' ')}"
    )
    return Cause(kind, subject, f"{subject} failed: it {_was(how)}", (how,), tuple(logs), hint=hint)


def overdue(subject: str, seconds: float, logs: Sequence[str]) -> Cause:
    return Cause(
        "timeout", subject, f"{subject} did not end within {seconds:g} s and was stopped",
        (f"limit: {seconds:g} s",), tuple(logs), hint="raise `timeout` if it needs longer",
    )  # fmt: skip


def _starved(
    subject: str, inspected: Mapping[str, Any], evidence: Sequence[str], logs: Sequence[str]
) -> Cause:
    limit = _memory(int(inspected["HostConfig"].get("Memory") or 0))
    return Cause(
        "out-of-memory",
        subject,
        f"{subject} was killed: it needed more memory than its limit of {limit}",
        tuple(evidence),
        tuple(logs),
        hint="raise `memory` of this process, or find what takes it",
    )


def _memory(amount: int) -> str:
    """Bytes as people say them."""
    if not amount:
        return "the machine"
    for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if amount >= size:
            return f"{amount / size:g}{unit}"
    return f"{amount} bytes"


def _was(how: str) -> str:
    return how if how.startswith("exited") else f"was {how}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _exit_hint(code: int) -> str | None:
    if code == 127:
        return "127 means that a command was not found: see `command` in service.yaml"
    if code == 126:
        return "126 means that a command may not be executed"
    return "a process must go on running: if it ends by design, make it a task" if code == 0 else None
