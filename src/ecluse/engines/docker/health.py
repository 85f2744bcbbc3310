"""What Docker and probes say about a replica, turned into a state or into the cause of a failure. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.listeners import Listener
from ecluse.engines.docker.runtime import Standing
from ecluse.model.cause import Cause, CauseKind
from ecluse.model.names import ServiceName
from ecluse.model.observed import Replica, ReplicaState

KILLED = 137
_TERMINATED = 128


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
class Death:
    """One end of a program. is_starved: it was killed for want of memory."""

    code: int
    is_starved: bool


def replica(item: Container, inspected: Mapping[str, Any], standing: Standing | None) -> Replica:
    """A replica as it is observed. `standing`: what the gateway thinks of it, None when it is not in traffic."""
    state, detail = _state(inspected, standing)
    has_ended = state in ("exited", "restarting")
    return Replica(
        id=item.id,
        name=item.name,
        service=ServiceName(item.service),
        process=item.process,
        box=item.box,
        version=item.labels.get("ecluse.version", ""),
        image_id=item.labels.get("ecluse.image", ""),
        state=state,
        address=item.address or None,
        started=moment(inspected["State"].get("StartedAt")),
        restarts=int(inspected.get("RestartCount") or 0),
        exit_code=int(inspected["State"]["ExitCode"]) if has_ended else None,
        detail=detail or (how_it_ended(inspected["State"]) if has_ended else None),
    )


def _state(inspected: Mapping[str, Any], standing: Standing | None) -> tuple[ReplicaState, str | None]:
    match inspected["State"]["Status"]:
        case "created":
            return "starting", "never started"
        case "restarting":
            return "restarting", None
        case "running" if is_half_made(inspected):
            return "starting", "not ready yet"
        case "running":
            return _in_traffic(standing)
        case "paused":
            return "unhealthy", "paused"
        case _:
            return "exited", None


def _in_traffic(standing: Standing | None) -> tuple[ReplicaState, str | None]:
    if standing is None or standing.status.startswith(("UP", "no check")):
        return "ready", None
    if standing.status.startswith(("DRAIN", "MAINT")):
        return "draining", None
    return "unhealthy", f"its probe fails: {standing.detail}"


def is_half_made(inspected: Mapping[str, Any]) -> bool:
    """Was it never ready? Only replicas that were get to restart by themselves."""
    return inspected["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")


def is_sound(inspected: Mapping[str, Any]) -> bool:
    """Runs, and was ready once."""
    return inspected["State"]["Status"] == "running" and not is_half_made(inspected)


def moment(text: str | None) -> datetime | None:
    """Docker's time, which has nanoseconds, and is in the year 1 when there is none."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", text))


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
    again = [f"Docker started it again {_times(len(deaths))}"] if len(deaths) > 1 else []
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


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _starved(
    subject: str, inspected: Mapping[str, Any], evidence: Sequence[str], logs: Sequence[str]
) -> Cause:
    limit = memory(int(inspected["HostConfig"].get("Memory") or 0))
    return Cause(
        "out-of-memory",
        subject,
        f"{subject} was killed: it needed more memory than its limit of {limit}",
        tuple(evidence),
        tuple(logs),
        hint="raise `memory` of this process, or find what takes it",
    )


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


def patience(attempt: Attempt) -> float | None:
    """After how many seconds of the same answer a probe need not go on; None: only its deadline tells.

    A program that is starting says so with 502, 503 or 504 (RFC 9110, section 15.6), 425 or 429; commands wait for
    things in ways of their own. Asking a wrong address will not get better.
    """
    if attempt.outcome != "answered" or not attempt.is_http or attempt.code in (408, 425, 429, 502, 503, 504):
        return None
    return 5.0 if attempt.code < 500 else 10.0


def _refusing(
    subject: str, attempt: Attempt, when: str, evidence: Sequence[str], logs: Sequence[str]
) -> Cause:
    sentence = f"{subject} runs but is not well: {attempt.what} gave {_answer(attempt)} {when}"
    hint = _ANSWERS.get(attempt.code) if attempt.is_http else "run the command yourself: `ecluse exec`"
    return Cause(
        "probe-refused", subject, sentence, tuple(evidence), tuple(logs),
        hint=hint or "what it logged at that address tells more; 503 is the answer for `not ready yet`",
    )  # fmt: skip


_LOGIN = "give the probe an address that answers without a login"
_ANSWERS = {
    400: "the program refuses the request itself: does it know the Host that is asked for?",
    401: _LOGIN,
    403: _LOGIN,
    404: "is `probe: {path}` an address that the program has?",
    405: "the probe sends GET: give it an address that takes it",
    503: "it says that it is not ready: raise `probe: {deadline}` if it only needs longer",
}


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


def dependency_down(subject: str, name: str, status: str) -> Cause:
    return Cause(
        "dependency-down",
        subject,
        f"{subject} needs {name}, which does not run",
        (f"{name}: {status}",),
        hint="`ecluse deploy` starts it again; `docker logs` tells why it stopped",
    )


def unreadable(subject: str, why: str) -> Cause:
    """A file that we would put in, and that the program could not read."""
    return Cause(
        "configuration-unreadable", subject, f"{subject} could not read its configuration: {why}", (why,),
        hint="give the file the `owner` or the `mode` that the program needs; without an owner it is the image's user",
    )  # fmt: skip


def not_put(subject: str, paths: Sequence[str], reason: str) -> Cause:
    """Docker would not take our files."""
    if _is_full(reason):
        return refused(subject, "", reason)
    names = " or ".join(paths)
    return Cause(
        "configuration-unreadable", subject, f"{subject} cannot be given its configuration file {names}",
        (f"Docker: {reason}",), hint="is there a folder of that name in the image, or a file where a folder should be?",
    )  # fmt: skip


def refused(subject: str, image: str, reason: str) -> Cause:
    """Docker would not create or start the container."""
    kind, sentence, hint = _refusal(subject, image, reason)
    return Cause(kind, subject, sentence, (f"Docker: {reason}",), hint=hint)


def _refusal(subject: str, image: str, reason: str) -> tuple[CauseKind, str, str | None]:
    text = reason.lower()
    if "no such image" in text:
        return (
            "image-missing",
            f"the image of {subject} is not on this machine: {image}",
            "build it here with `ecluse build`, or pull it",
        )
    if _is_full(reason):
        return (
            "no-space",
            f"no disk space is left for {subject}",
            "free some: `docker system df` tells what takes it",
        )
    if "executable file not found" in text or "no such file or directory" in text:
        return (
            "exited",
            f"{subject} cannot start: its command is not in the image",
            "see `command` in service.yaml",
        )
    if "permission denied" in text:
        return (
            "exited",
            f"{subject} cannot start: its command may not be executed",
            "see the file's mode in the image",
        )
    if "port is already allocated" in text or "address already in use" in text:
        return (
            "port-taken",
            f"{subject} cannot start: an address or port is taken",
            "another container of this machine holds it: `docker ps` shows them",
        )
    if "unable to find user" in text or "unable to find group" in text:
        return (
            "exited",
            f"{subject} cannot start: the user that its image names does not exist",
            "see USER in the Dockerfile: the image's /etc/passwd must have it",
        )
    return "engine", f"Docker does not start {subject}", "`ecluse doctor` looks at the engine"


def _is_full(reason: str) -> bool:
    text = reason.lower()
    return "no space left" in text or "disk quota" in text


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


def memory(amount: int) -> str:
    """Bytes as people say them."""
    if not amount:
        return "the machine"
    for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if amount >= size:
            return f"{amount / size:g}{unit}"
    return f"{amount} bytes"


def _was(how: str) -> str:
    return how if how.startswith("exited") else f"was {how}"


def _answer(attempt: Attempt) -> str:
    return f"status {attempt.code}" if attempt.is_http else f"exit code {attempt.code}"


def _quoted(text: str) -> list[str]:
    line = " ".join(text.split())
    return [f"it said: {line[:300]}"] if line else []


def _heard(item: Listener) -> str:
    return f"listens on {'127.0.0.1' if item.is_local else '0.0.0.0'}:{item.port}"


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
