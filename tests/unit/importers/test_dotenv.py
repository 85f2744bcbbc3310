from __future__ import annotations

import pytest

from ecluse.importers.dotenv import read_env


def values(text: str) -> dict[str, str]:
    file = read_env(text, ".env")
    assert not file.problems, file.problems
    return file.values


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A = spaced out  ", "spaced out"),
        ("A: colon", "colon"),
        ("export A=exported", "exported"),
        ("A=", ""),
        ("A=with # a comment", "with"),
        ("A=with#no-comment", "with#no-comment"),
        ("A= # no comment at the beginning", "# no comment at the beginning"),
        ('A="a # b"  # comment', "a # b"),
        (r'A="line\nnext\ttab \"quoted\" back\\slash"', 'line\nnext\ttab "quoted" back\\slash'),
        (r"A='literal\n $B ${C} it\'s'", r"literal\n $B ${C} it's"),
        (r"A=\$B and \${C}", "\\ and \\"),
        (r'A="\$B"', "$B"),
        ("A=$$B", "$B"),
        ("A='{\"json\": true}'", '{"json": true}'),
        ("A=a=b=c", "a=b=c"),
        ("A=5$", "5$"),
        ("\tA=indented", "indented"),
    ],
)
def test_a_line_gives_the_value_that_compose_gives(line: str, value: str) -> None:
    assert values(line) == {"A": value}


def test_quoted_values_may_have_several_lines() -> None:
    text = "KEY=\"-----BEGIN\nline two\n\nend\"\nNEXT='a\nb'\nLAST=1\n"
    assert values(text) == {"KEY": "-----BEGIN\nline two\n\nend", "NEXT": "a\nb", "LAST": "1"}


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_a_value() -> None:
    assert values('\ufeffA=1\r\nB="x\r\ny"\r\n\r\n# c\r\nC=3') == {"A": "1", "B": "x\ny", "C": "3"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("B=$A", "one"),
        ("B=${A}-${A}", "one-one"),
        ("B=${NONE:-two}", "two"),
        ("B=${EMPTY:-two}", "two"),
        ("B=${EMPTY-two}", ""),
        ("B=${A:+yes}${NONE:+no}", "yes"),
        ("B=${NONE:-${A}}", "one"),
        ("B=$NONE.", "."),
        ("B='$A'", "$A"),
    ],
)
def test_variables_are_replaced_by_what_stands_above(line: str, value: str) -> None:
    assert values(f"A=one\nEMPTY=\n{line}")["B"] == value


def test_what_goes_round_ends_at_once_and_is_told() -> None:
    file = read_env("A=${B}x\nB=${A}y\nC=${C}z\n", ".env")
    assert file.values == {"A": "x", "B": "xy", "C": "z"}
    assert file.unset == {"A": {"B"}, "C": {"C"}}


def test_what_doubles_again_and_again_is_refused_before_it_fills_the_memory() -> None:
    lines = ["A0=xxxxxxxxxx", *(f"A{n}=${{A{n - 1}}}${{A{n - 1}}}" for n in range(1, 60))]
    file = read_env("\n".join(lines), ".env")
    assert "becomes longer than 262144 characters" in file.problems[0].message
    assert sum(map(len, file.values.values())) < 1_000_000


def test_names_given_twice_or_without_a_value_are_told() -> None:
    file = read_env("A=1\nA=2\nHOME\nB=3\n", ".env")
    assert (file.values, file.doubles, file.inherited) == ({"A": "2", "B": "3"}, ["A"], ["HOME"])
    assert file.lines == {"A": 2, "B": 4}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A=1\n=2", ".env:2: is not a line of the form KEY=value"),
        ('A="never\nclosed', ".env:1: A: has a quote that is never closed"),
        ('X=1\nA="a" b', ".env:2: A: has something after the closing quote"),
        ("A b", ".env:1: A: is not followed by ="),
        ("A=${B", ".env:1: A: has a ${ that is never closed"),
        ("A=${B:?needed}", ".env:1: A: needs the variable B, which is not set"),
        ("A=\0", ".env:1: has a NUL character"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    assert [str(one) for one in read_env(text, ".env").problems] == [problem]
