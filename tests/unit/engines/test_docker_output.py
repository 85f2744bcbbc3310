from __future__ import annotations

import base64
import html
import json
import struct
import urllib.parse
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.engines.docker.output import MASK, Lines, Mask, stamped


def frame(stream: int, text: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text


@given(st.integers(min_value=1, max_value=40))
def test_lines_are_whole_however_the_stream_is_cut(size: int) -> None:
    raw = (
        frame(1, b"first li")
        + frame(2, b"error\n")
        + frame(1, b"ne\nsecond\r\nla")
        + frame(1, "été".encode())
    )
    lines = Lines()
    found = [pair for start in range(0, len(raw), size) for pair in lines.feed(raw[start : start + size])]
    assert [*found, *lines.rest()] == [
        (True, "error"),
        (False, "first line"),
        (False, "second"),
        (False, "laété"),
    ]


def test_the_time_that_docker_wrote_is_taken_off() -> None:
    at, text = stamped("2026-03-01T10:00:00.5Z hello")
    assert (at, text) == (datetime(2026, 3, 1, 10, 0, 0, 500000, tzinfo=UTC), "hello")
    assert stamped("2026-03-01T10:00:00Z ")[1] == ""
    assert stamped("no time at all")[1] == "no time at all"


@pytest.mark.parametrize(
    ("secret", "line", "hidden"),
    [
        ("sesame", "the word is sesame!", "the word is •••!"),
        ("a b&c", "GET /?token=a%20b%26c", "GET /?token=•••"),
        ('qu"ote', '{"key": "qu\\"ote"}', '{"key": "•••"}'),
        (
            "mysql://u:staple@db/x",
            "Access denied (using password staple)",
            "Access denied (using password •••)",
        ),
        ("USER=joe\nPASSWORD='pony-express'\n", "bad PASSWORD pony-express", "bad PASSWORD •••"),
        ("ab", "cabbage", "cabbage"),
    ],
)
def test_a_secret_is_hidden_in_every_form(secret: str, line: str, hidden: str) -> None:
    assert Mask([secret]).hide(line) == hidden


def test_longer_secrets_are_hidden_before_those_inside_them() -> None:
    assert Mask(["open", "open sesame"]).hide("open sesame, open") == "•••, •••"


def test_without_secrets_nothing_is_hidden() -> None:
    assert Mask([]).hide("anything") == "anything"


SECRET = 'pass "w\\ rd"/+=é<&>'


@pytest.mark.parametrize("shift", ["", "a", "ab", "abc"])
def test_a_secret_in_base64_is_hidden_wherever_it_begins(shift: str) -> None:
    text = base64.b64encode(f"{shift}{SECRET}".encode()).decode()
    hidden = Mask([SECRET]).hide(f"Authorization: Basic {text}")
    assert MASK in hidden
    assert base64.b64encode(SECRET.encode()).decode()[4:-8] not in hidden
    assert len(hidden) < len(text)


@pytest.mark.parametrize(
    "written",
    [
        SECRET, json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), repr(SECRET), html.escape(SECRET),
        urllib.parse.quote(SECRET, safe=""), urllib.parse.quote_plus(SECRET), SECRET.encode().hex(),
    ],
)  # fmt: skip
def test_a_secret_is_hidden_as_programs_write_it(written: str) -> None:
    assert Mask([SECRET]).hide(f"<{written}>").strip("<>\"'") == MASK


def test_a_thousand_secrets_leave_other_lines_as_they_are() -> None:
    mask = Mask(f"secret-number-{number}" for number in range(1000))
    assert mask.hide("nothing of the kind, secret") == "nothing of the kind, secret"
    assert mask.hide("a secret-number-7 and secret-number-77.") == f"a {MASK} and {MASK}."
