from __future__ import annotations

import pytest

from ecluse.config.interpolate import BadReference, Value, interpolate, is_well_meant
from ecluse.model.secret import Sealed
from ecluse.model.service import Plain

KNOWN = {
    "app.N": Value(8080, characters=4),
    "app.T": Value("text", characters=4),
    "app.L": Value(["a", "b"], levels=1),
    "app.M": Value({"a": 1}, levels=1),
    "app.NONE": Value(None),
    "app.S": Value("hunter2", secret=True),
    "app.SEALED": Value(Sealed("f00"), secret=True),
}


def refer(reference: str) -> Value:
    if reference not in KNOWN:
        raise BadReference((f"no {reference}", None))
    return KNOWN[reference]


def resolved(data: Plain) -> Value:
    return interpolate(data, refer, lambda sealed: f"text of {sealed.fingerprint}")


@pytest.mark.parametrize(
    ("data", "result"),
    [
        ("plain", "plain"),
        ("${app.N}", 8080),
        ("${ app.N }", 8080),
        ("port ${app.N}", "port 8080"),
        ("${app.T}${app.N}", "text8080"),
        ("${app.L}", ["a", "b"]),
        ("all: ${app.L}", "all: a,b"),
        ("m=${app.M}", 'm={"a":1}'),
        ("$${app.N}", "${app.N}"),
        ("a $${x} b ${app.T} $5 $$", "a ${x} b text $5 $$"),
        ("$$${app.T}", "$${app.T}"),
        (["${app.N}", {"k": "${app.T}!"}], [8080, {"k": "text!"}]),
        ("${app.NONE}", None),
        (True, True),
        (None, None),
    ],
)
def test_references_are_replaced(data: Plain, result: Plain) -> None:
    assert resolved(data).data == result


def test_secrecy_follows_references() -> None:
    assert resolved("${app.S}").secret
    assert resolved("x${app.S}").secret
    assert resolved([{"k": "${app.S}"}]).secret
    assert not resolved("${app.T}").secret


def test_a_sealed_value_stays_sealed_until_its_text_is_needed() -> None:
    assert resolved("${app.SEALED}").data == Sealed("f00")
    assert resolved("x ${app.SEALED}").data == "x text of f00"
    assert resolved(["${app.SEALED}"]).data == ["text of f00"]


def test_a_value_knows_the_references_on_its_way() -> None:
    assert resolved("${app.T} ${app.N} ${app.T}").through == ("app.T", "app.N")


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ("${app.X}", ["no app.X"]),
        ("${app.X} ${app.Y}", ["no app.X", "no app.Y"]),
        (["${app.X}", {"k": "${app.Y}"}], ["no app.X", "no app.Y"]),
        ("${app.T", ["has a ${ that is never closed"]),
        ("a ${app.NONE} b", ["app.NONE has no value"]),
        ("${}", ["no "]),
    ],
)
def test_all_bad_references_of_a_value_are_told(data: Plain, messages: list[str]) -> None:
    with pytest.raises(BadReference) as raised:
        resolved(data)
    assert [message for message, _ in raised.value.told] == messages


def test_a_text_that_grows_without_end_is_refused() -> None:
    big = Value("x" * 200_000, characters=200_000)
    with pytest.raises(BadReference, match="becomes longer than 262144 characters"):
        interpolate("${app.A}${app.A}", lambda _: big, str)


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        ("${backing.db.password}", True),
        ("x${app.KEY}y", True),
        ("hunter2", False),
        ("hun${ter}2", False),
        ("hun${app.X}$${ter}", False),
        ("hun${app.X}${ter", False),
        (["${app.X}"], False),
    ],
)
def test_a_secret_that_looks_like_a_reference_is_not_taken_for_one(data: Plain, *, is_one: bool) -> None:
    assert is_well_meant(data) is is_one
