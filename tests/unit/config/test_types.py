from __future__ import annotations

import pytest

from ecluse.config.types import Unfit, accept, pattern_problem, written, written_as
from ecluse.model.service import ContractKey, Plain, ValueType


def key(kind: ValueType, **more: object) -> ContractKey:
    return ContractKey("KEY", type=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("string", "a b", "a b"),
        ("integer", -3, "-3"),
        ("number", 0.1, "0.1"),
        ("number", 1e-7, "0.0000001"),
        ("number", 20, "20"),
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("url", "https://example.fr:8443/a?b#c", "https://example.fr:8443/a?b#c"),
        ("url", "mysql://u:p@db:3306/name", "mysql://u:p@db:3306/name"),
        ("email", "compta@example.fr", "compta@example.fr"),
        ("duration", "1h30m", "1h30m"),
        ("size", "512Mi", "512Mi"),
        ("list", ["a", 1, True], "a,1,true"),
        ("list", [], ""),
        ("json", {"a": [1, None], "é": "x"}, '{"a":[1,null],"é":"x"}'),
        ("json", "text", '"text"'),
    ],
)
def test_a_value_of_its_type_is_written_out_for_a_variable(kind: ValueType, value: Plain, text: str) -> None:
    native = accept(key(kind), value, is_literal=True)
    assert (native, written_as(key(kind), native)) == (value, text)


@pytest.mark.parametrize(
    ("kind", "value", "message", "hint"),
    [
        ("string", 10, "must be text", "quote it"),
        ("string", True, "must be text", "quote it"),
        ("string", ["a"], "must be text", "give the key `type: list` or `type: json` in the contract"),
        ("string", "a\0b", "must not have a NUL character", None),
        ("integer", "12", "must be an integer", "remove the quotes"),
        ("integer", True, "must be an integer", None),
        ("integer", 1.5, "must be an integer", None),
        ("number", "1.5", "must be a number", "remove the quotes"),
        ("boolean", "yes", "must be true or false", "yes, no, on and off are texts"),
        ("boolean", 1, "must be true or false", None),
        ("url", "example.fr", "must be a URL like https://example.fr/path", None),
        ("url", "http://example.fr:99999", "must be a URL like https://example.fr/path", None),
        ("url", "", "must be a URL like https://example.fr/path", "null removes the value"),
        ("email", "compta", "must be an e-mail address", None),
        ("duration", 30, "must be a duration like 30s, 5m or 1h30m", None),
        ("size", "12", "must be a size like 128Mi, 1Gi or 500M", None),
        ("list", "a,b", "must be a list", None),
        ("list", ["a,b"], "an item has a comma, which separates items", "give the key `type: json`"),
        ("list", [["a"]], "must be a list of texts and numbers", "structures need `type: json`"),
    ],
)
def test_what_does_not_fit_says_what_it_must_be(
    kind: ValueType, value: Plain, message: str, hint: str | None
) -> None:
    with pytest.raises(Unfit) as raised:
        accept(key(kind), value, is_literal=True)
    assert (raised.value.message, raised.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("kind", "text", "native"),
    [
        ("string", 8080, "8080"),
        ("string", True, "true"),
        ("integer", "12", 12),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("list", "a, b", ["a", "b"]),
    ],
)
def test_what_a_reference_or_a_secret_brought_is_taken_from_its_text(
    kind: ValueType, text: Plain, native: Plain
) -> None:
    assert accept(key(kind), text, is_literal=False) == native


def test_a_secret_of_type_json_is_parsed() -> None:
    assert accept(key("json", secret=True), '{"a": 1}', is_literal=False) == {"a": 1}


@pytest.mark.parametrize("text", ["{", "[" * 5000])
def test_a_secret_that_is_not_json_is_not_repeated(text: str) -> None:
    with pytest.raises(Unfit, match=r"^must be JSON$"):
        accept(key("json", secret=True), text, is_literal=False)


def test_a_choice_outside_of_its_choices_is_told_the_nearest() -> None:
    with pytest.raises(Unfit) as raised:
        accept(key("choice", choices=("debug", "info")), "inof", is_literal=True)
    assert (raised.value.message, raised.value.hint) == ("must be one of debug, info", "did you mean info?")


def test_a_pattern_must_match_the_whole_value() -> None:
    declared = key("string", pattern="[a-z]+")
    assert accept(declared, "abc", is_literal=True) == "abc"
    with pytest.raises(Unfit, match=r"^must match \[a-z\]\+$"):
        accept(declared, "abc1", is_literal=True)


def test_a_pattern_that_is_no_regular_expression_says_why() -> None:
    assert (
        pattern_problem("(")
        == "is not a regular expression: missing ), unterminated subpattern at position 0"
    )
    assert pattern_problem("[a-z]{2}") is None


def test_a_list_of_structures_inside_a_text_is_json() -> None:
    assert written([{"a": 1}]) == '[{"a":1}]'
