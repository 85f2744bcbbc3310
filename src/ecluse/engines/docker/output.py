"""Output of containers: Docker's frames into lines, lines with their time, secrets out of lines. Pure."""

from __future__ import annotations

import json
import re
import struct
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, quote_plus, urlsplit

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
    """Takes secret texts out of what people will read: whole, in parts, and as URLs, JSON, HTML, base64, hexadecimal
    digits and Python write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: dict[str, set[str]] = {}
        for secret in secrets:
            for form in _forms(secret):
                self._forms.setdefault(form[:SHORTEST_MASKED], set()).add(form)

    def hide(self, text: str) -> str:
        """Only forms that can be in the text are looked for: a log has many lines, a product many secrets."""
        starts = {text[at : at + SHORTEST_MASKED] for at in range(len(text) - SHORTEST_MASKED + 1)}
        near = starts & self._forms.keys()
        hits = [form for start in near for form in self._forms[start] if form in text]
        if not hits:
            return text
        hits.sort(key=len, reverse=True)
        return re.sub("|".join(re.escape(form) for form in hits), MASK, text)


def _forms(secret: str) -> Iterator[str]:
    for text in (secret, *_parts(secret)):
        written = (
            text, quote(text, safe=""), quote(text), quote_plus(text), json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1], escape(text), escape(text, quote=False),
        )  # fmt: skip
        yield from {form for form in written if len(form) >= SHORTEST_MASKED}
        if len(text) >= SHORTEST_PART:
            yield from _encoded(text.encode())


def _encoded(raw: bytes) -> Iterator[str]:
    """In hexadecimal digits, and in base64 (RFC 4648) wherever in a longer text it begins: the characters that
    neighbours have a part in are left out."""
    yield from (raw.hex(), raw.hex().upper())
    for shift in range(3):
        begin, end = (shift * 8 + 5) // 6, (shift + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(b"\0" * shift + raw).decode()[begin:end]


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
