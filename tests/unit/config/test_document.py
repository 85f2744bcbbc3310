from __future__ import annotations

import pytest

from ecluse.config.document import MAX_CHARACTERS, read_document
from ecluse.errors import Location


def told(text: str) -> str:
    return "\n".join(str(problem) for problem in read_document(text, "f.yaml").problems)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("22:22", "22:22"),
        ("2024-12-31", "2024-12-31"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-12", -12),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('"12"', "12"),
        ("'null'", "null"),
        ("-", None),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: object) -> None:
    document = read_document(f"key: {written}" if written != "-" else "key: ", "f.yaml")
    assert document.problems == ()
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)  # type: ignore[index, call-overload]


def test_every_node_knows_its_line() -> None:
    document = read_document("a:\n  b: 1\n  c:\n  - x\n  - y\n", "f.yaml")
    assert document.location(("a", "b")) == Location("f.yaml", 2)
    assert document.location(("a", "c", 1)) == Location("f.yaml", 5)


def test_a_path_that_is_not_there_stands_where_its_parent_stands() -> None:
    document = read_document("a:\n  b: 1\n", "f.yaml")
    assert document.location(("a", "b", "c", 3)) == Location("f.yaml", 2)


def test_an_empty_file_has_no_value_and_no_problem() -> None:
    document = read_document("# nothing yet\n", "f.yaml")
    assert (document.value, document.problems) == (None, ())


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert read_document("\ufeffa: 1\n", "f.yaml").value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: is given twice (first in line 1)"),
        ("a:\n\tb: 1\n", "f.yaml:2: a tab cannot indent\n  hint: use spaces"),
        ("a: 1\n b: 2\n", "f.yaml:2: is not YAML: mapping values are not allowed in this context"
         "\n  hint: check the indentation; quote a text with ': ' in it"),
        ("a: 'x\n", "f.yaml:1: a quote is never closed\n  hint: close it at the end of the text"),
        ("a: [1, 2\n", "f.yaml:1: is not YAML: did not find expected ',' or ']'\n  hint: close the list with ]"),
        ("a: @x\n", "f.yaml:1: is not YAML: found character that cannot start any token\n  hint: quote the text"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: has several documents (---)\n  hint: one file holds one document"),
        ("a: 1\nb: \0\n", "f.yaml:2: has a character that text cannot have ('\\x00')"),
        ("a: !!python/name:os.system\n", "f.yaml:1: a: tags are not supported\n  hint: quote a text that begins with !"),
        ("a: !hunter2\n", "f.yaml:1: a: tags are not supported\n  hint: quote a text that begins with !"),
        ("1: x\n", "f.yaml:1: a key must be text\n  hint: quote it"),
        ("? [a]\n: x\n", "f.yaml:1: a key must be text\n  hint: quote it"),
        ("a: .nan\n", "f.yaml:1: a: must be a finite number\n  hint: quote it if it is text"),
        ("a: 1e999\n", "f.yaml:1: a: must be a finite number\n  hint: quote it if it is text"),
        ("a: " + "9" * 5000, "f.yaml:1: a: is a number of more than 64 bits\n  hint: quote it if it is text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(text: str, problem: str) -> None:
    assert told(text) == problem


@pytest.mark.parametrize("text", ["a: &x {b: 1}\n\nc: *x\n", "a: &x [1]\nb: 2\nc: *x\n"])
def test_an_alias_is_refused_where_it_stands(text: str) -> None:
    assert told(text).startswith("f.yaml:3: c: aliases are not supported\n  hint: write the value out")


def test_a_merge_key_is_refused_with_what_to_do_instead() -> None:
    assert told("a:\n  <<: {b: 1}\n") == (
        "f.yaml:2: a: merge keys (<<) are not supported\n"
        "  hint: write the value out, or say it once in a less specific layer and refer to it as ${app.KEY}"
    )


def test_an_alias_of_itself_ends() -> None:
    assert "aliases are not supported" in told("a: &a [*a]\n")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 3_000, "- " * 5_000 + "x", "? " * 5_000])
def test_deep_nesting_is_a_problem_and_not_a_crash(text: str) -> None:
    assert told(text) == "f.yaml:1: is nested more than 40 deep"


def test_nesting_below_the_bound_of_the_parser_is_refused_too() -> None:
    assert told("a: " + "[" * 60 + "]" * 60) == f"f.yaml:1: a.{'.'.join('00')}: is nested more than 40 deep"


def test_a_long_file_is_refused_before_it_is_parsed() -> None:
    assert told("a" * (MAX_CHARACTERS + 1)) == f"f.yaml: is longer than {MAX_CHARACTERS} characters"


def test_several_problems_of_one_file_come_together() -> None:
    assert told("a: 1\na: 2\n3: x\nb: *x\n").count("f.yaml") == 1
    assert told("a: 1\na: 2\n3: x\nb: !y\n").count("f.yaml") == 3
