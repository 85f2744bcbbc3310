"""What is said to an HAProxy 2.6 that runs, and what its answers mean: the runtime API (management guide 9.3). Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ecluse.engines.docker.gateway.configuration import CERTIFICATE, server_line
from ecluse.engines.docker.gateway.haproxy import FOLDER
from ecluse.engines.docker.gateway.routing import Backend, Server
from ecluse.engines.docker.judgement import WHOLE, Tally

PAYLOAD_CHARACTERS = 15_000
"""What one runtime command may carry (tune.bufsize, 16 KiB)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A server as a running HAProxy reports it. `status` is its word: UP, DOWN, MAINT, DRAIN, no check.

    A server of weight 0 is in DRAIN. tally: what it answered since this worker of HAProxy began.
    """

    backend: str
    server: str
    status: str
    sessions: int
    detail: str
    weight: int = WHOLE
    tally: Tally = field(default_factory=Tally)


def set_certificate(pem: str) -> list[str]:
    """What installs a certificate into a running HAProxy: connections that are open keep the old one."""
    path = f"{FOLDER}/{CERTIFICATE}"
    return [f"set ssl cert {path} <<\n{pem.strip()}\n", f"commit ssl cert {path}"]


def read_fingerprint(answer: str) -> str | None:
    """From `show ssl cert`: the SHA-1 of the certificate that is in use."""
    found = (line.partition(":")[2].strip() for line in answer.splitlines() if "FingerPrint" in line)
    return next(found, None)


def add_server(backend: Backend, server: Server) -> list[str]:
    """A dynamic server is UP at once: the replica was probed before. It is checked from then on."""
    path = f"{backend.name}/{server.name}"
    return [
        f"add server {path} {server_line(backend, server)}",
        f"enable health {path}",
        f"enable server {path}",
    ]


def weigh(backend: str, server: str, weight: int) -> str:
    """0: what is under way goes on, and nothing new comes."""
    return f"set server {backend}/{server} weight {weight}"


def look_away(backend: str, server: str) -> str:
    """A server that ends on purpose is not to be found dead by its checks."""
    return f"disable health {backend}/{server}"


def ready(backend: str, server: str) -> str:
    return f"set server {backend}/{server} state ready"


def close_sessions(backend: str, server: str) -> str:
    return f"shutdown sessions server {backend}/{server}"


def park(backend: str, server: str) -> str:
    """Maintenance: no traffic, no checks, and the only state from which a server can be deleted."""
    return f"set server {backend}/{server} state maint"


def delete_server(backend: str, server: str) -> str:
    return f"del server {backend}/{server}"


def map_commands(file: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What turns a map in a running HAProxy from `before` into `after`."""
    path = f"{FOLDER}/{file}"
    return [
        *(f"del map {path} {key}" for key in sorted(set(before) - set(after))),
        *(f"add map {path} {key} {after[key]}" for key in sorted(set(after) - set(before))),
        *(
            f"set map {path} {key} {after[key]}"
            for key in sorted(set(after) & set(before))
            if after[key] != before[key]
        ),
    ]


def read_map(answer: str) -> dict[str, str]:
    """From `show map`: lines of reference, key, value."""
    rows = (line.split() for line in answer.splitlines())
    return {row[1]: row[2] for row in rows if len(row) >= 3}


def read_standings(answer: str) -> list[Standing]:
    """From `show stat` (CSV, HAProxy management guide 9.1), servers only."""
    rows = csv.DictReader(answer.lstrip("# ").splitlines())
    return [
        Standing(
            backend=row["pxname"],
            server=row["svname"],
            status=row["status"],
            sessions=int(row["scur"] or 0),
            detail=_why(row["check_status"], row["check_code"]),
            weight=int(row.get("uweight") or WHOLE),
            tally=_tally(row),
        )
        for row in rows
        if row.get("svname") not in (None, "", "FRONTEND", "BACKEND")
    ]


def _tally(row: Mapping[str, str]) -> Tally:
    """Answers by status; `eresp`: those that broke off; `econ`: those that could not even be asked for."""

    def number(column: str) -> int:
        return int(row.get(column) or 0)

    broken = number("eresp") + number("econ")
    answered = sum(number(f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))
    return Tally(answered + broken, number("hrsp_5xx") + broken, number("rtime") / 1000)


def read_tunnels(answer: str, backend: str) -> Counter[str]:
    """From `show sess`: by server, the connections that no longer speak HTTP, as websockets. They have no analyser
    left on either side (an=00h), where a request or an answer that is under way has one."""
    return Counter(
        name
        for name, analysers in _sessions(answer, backend)
        if len(analysers) == 2 and not any(int(item, 16) for item in analysers)
    )


def read_sessions(answer: str, backend: str) -> Counter[str]:
    """From `show sess`: how many connections each server has."""
    return Counter(name for name, _ in _sessions(answer, backend))


def _sessions(answer: str, backend: str) -> Iterator[tuple[str, list[str]]]:
    for line in answer.splitlines():
        found = re.search(rf" be={re.escape(backend)} srv=(\S+) ", line)
        if found:
            yield found[1], re.findall(r"\ban=([0-9a-f]+)h", line)


def _why(status: str, code: str) -> str:
    """The result of the last health check in words (management guide 9.1, field 36)."""
    match status.removeprefix("* "):
        case "L7STS" | "L7RSP":
            return f"it answers with status {code}" if code else "it answers with something else than HTTP"
        case "L4TOUT" | "L6TOUT" | "L7TOUT":
            return "it does not answer in time"
        case "L4CON":
            return "nothing listens on its port"
        case other:
            return other


def count_old_workers(answer: str) -> int:
    """From the master's `show proc`: workers of earlier configurations that still serve."""
    _, _, rest = answer.partition("# old workers")
    return sum(1 for line in rest.splitlines()[1:] if "worker" in line.partition("#")[0])


def current_worker(answer: str) -> str | None:
    """From the master's `show proc`: the process that serves new connections."""
    _, _, rest = answer.partition("# workers")
    lines = [line for line in rest.partition("# old workers")[0].splitlines()[1:] if "worker" in line]
    return lines[0].split()[0] if lines else None


def commands(lines: Iterable[str]) -> str:
    """Several runtime commands on one connection."""
    return ";".join(lines) + "\n"
