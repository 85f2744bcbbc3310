"""Output of containers: Docker's frames into lines, lines with their time, secrets out of lines. Pure."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

HEADER = struct.Struct(">BxxxL")
SHORTEST_MASKED = 3
SHORTEST_PART = 6
MASK = "•••"
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z ?")


class Lines:
    """Assembles lines from the multiplexed stream of a container (Engine API, attach: stream format)."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._open: dict[int, bytearray] = {}

    def feed(self, data: bytes) -> Iterator[tuple[bool, str]]:
        """The whole lines that `data` ends: (is it standard error, text)."""
        self._raw += data
        while len(self._raw) >= HEADER.size:
            stream, length = HEADER.unpack(self._raw[: HEADER.size])
            if len(self._raw) < HEADER.size + length:
                return
            payload = bytes(self._raw[HEADER.size : HEADER.size + length])
            del self._raw[: HEADER.size + length]
            yield from self._split(stream, payload)

    def rest(self) -> Iterator[tuple[bool, str]]:
        """What was not ended by a newline."""
        for stream, buffer in self._open.items():
            if buffer:
                yield stream == 2, _text(bytes(buffer))
        self._open.clear()

    def _split(self, stream: int, payload: bytes) -> Iterator[tuple[bool, str]]:
        buffer = self._open.setdefault(stream, bytearray())
        buffer += payload
        *whole, last = bytes(buffer).split(b"\n")
        self._open[stream] = bytearray(last)
        for line in whole:
            yield stream == 2, _text(line)


def stamped(line: str) -> tuple[datetime, str]:
    """A line that Docker put the time before: when, and the text."""
    match = _STAMP.match(line)
    if match is None:
        return datetime.min.replace(tzinfo=UTC), line
    micro = int((match[2] or "0").ljust(9, "0")[:6])
    at = datetime.fromisoformat(match[1]).replace(microsecond=micro, tzinfo=UTC)
    return at, line[match.end() :]


class Mask:
    """Takes secret texts out of what people will read: whole, in parts, and as URLs and JSON write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {form for secret in secrets for form in _forms(secret)}
        self._pattern = re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))
        self._empty = not texts

    def hide(self, text: str) -> str:
        return text if self._empty else self._pattern.sub(MASK, text)


def _forms(secret: str) -> Iterator[str]:
    for text in (secret, *_parts(secret)):
        if len(text) >= SHORTEST_MASKED:
            yield from (text, quote(text, safe=""), json.dumps(text)[1:-1])


def _parts(secret: str) -> Iterator[str]:
    """The password of a URL; the lines of a file, and what stands behind `=` or `:` in them."""
    password = _password(secret)
    if password:
        yield password
    lines = secret.splitlines()
    if len(lines) < 2 and "=" not in secret:
        return
    for line in lines:
        value = re.split(r"[=:]", line, maxsplit=1)[-1].strip().strip("\"'")
        yield from (part for part in (line.strip(), value) if len(part) >= SHORTEST_PART)
        if inner := _password(value):
            yield inner


def _password(text: str) -> str | None:
    try:
        return urlsplit(text).password if "://" in text else None
    except ValueError:
        return None


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")
