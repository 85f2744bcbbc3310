"""The kinds of request that a load is made of, what comes back, and what counts as lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TIMEOUT_SECONDS = 30.0
ECHO = bytes(range(256)) * 256
DOWNLOAD_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request. period: seconds from one request of a client to its next, drawn from a range.

    speaks: h2 goes over TLS; a websocket's request is a message that is to come back.
    """

    name: str
    path: str = "/"
    body: bytes | None = None
    clients: int = 1
    period: tuple[float, float] = (0.05, 0.05)
    keeps: bool = True
    expected: int | None = None
    speaks: Literal["http/1.1", "h2", "websocket"] = "http/1.1"


KINDS = (
    Kind("new connections", clients=2, keeps=False),
    Kind("keep-alive", clients=4),
    Kind("idle keep-alive, 7 to 10 s", clients=10, period=(7.0, 10.0)),
    Kind("POST of 64 KiB", path="/echo", body=ECHO, clients=2, period=(0.2, 0.2)),
    Kind("answer after 2 s", path="/slow", clients=4, period=(2.5, 2.5)),
    Kind("download of 8 MiB", path="/download", clients=1, period=(1.0, 1.0), expected=DOWNLOAD_BYTES),
    Kind("HTTP/2 over TLS", clients=2, period=(0.1, 0.1), speaks="h2"),
    Kind("HTTP/2, answer after 2 s", path="/slow", clients=2, period=(2.5, 2.5), speaks="h2"),
    Kind("websocket", path="/ws", clients=4, period=(0.2, 0.2), speaks="websocket"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Lost(Exception):
    """A request without a good answer; the text says why."""
