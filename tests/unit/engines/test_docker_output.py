from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.engines.docker.output import Lines, Mask, stamped


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
