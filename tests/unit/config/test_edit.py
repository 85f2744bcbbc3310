"""One value changes, and nothing else of the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ecluse.config.document import read_document
from ecluse.config.edit import scalar_text, with_value, without
from ecluse.errors import EcluseError
from ecluse.model.service import Plain

FILE = """\
# the values of invoicing

app:
    # how long customers have
    DAYS: 30   # thirty
    NAME: 'x'
    QUOTED: "y"
    LIST:
        - a
        - b   # the second
    TEXT: |
        one
        two

    # about the end
run:
    web: {replicas: 2, memory: 64Mi}   # small
    worker:
# the end
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("app.DAYS", 60, "    DAYS: 30   # thirty\n", "    DAYS: 60   # thirty\n"),
        ("app.NAME", "it's", "NAME: 'x'", "NAME: 'it''s'"),
        ("app.QUOTED", "é\n", 'QUOTED: "y"', 'QUOTED: "é\\n"'),
        ("app.LIST", ["c", 1], "LIST:\n        - a\n        - b ", "LIST: [c, 1] "),
        ("app.TEXT", "t", "TEXT: |\n        one\n        two\n", "TEXT: t\n"),
        ("app.DAYS", None, "DAYS: 30 ", "DAYS: null "),
        ("app.NEW", "null", "        two\n\n", '        two\n    NEW: "null"\n\n'),
        ("app.NEW", {"a": [1]}, "        two\n\n", "        two\n    NEW: {a: [1]}\n\n"),
        ("run.web.replicas", 3, "{replicas: 2,", "{replicas: 3,"),
        ("run.web.cpu", "100m", "64Mi}   # small", "64Mi, cpu: 100m}   # small"),
        ("run.worker.replicas", 3, "    worker:\n", "    worker:\n        replicas: 3\n"),
        ("run.*.cpu", "1", "    worker:\n", '    worker:\n    "*":\n        cpu: "1"\n'),
        ("services.x.app.K", "${app.DAYS}", "    worker:\n",
         '    worker:\nservices:\n    x:\n        app:\n            K: "${app.DAYS}"\n'),
    ],
)  # fmt: skip
def test_a_value_changes_in_place(path: str, value: Plain, old: str, new: str) -> None:
    assert FILE.count(old) == 1
    assert with_value(FILE, path.split("."), value, file="x") == FILE.replace(old, new)


@pytest.mark.parametrize(
    ("path", "gone", "left"),
    [
        ("app.DAYS", "    DAYS: 30   # thirty\n", ""),
        ("app.TEXT", "    TEXT: |\n        one\n        two\n", ""),
        ("app.LIST", "    LIST:\n        - a\n        - b   # the second\n", ""),
        ("run.web.replicas", "{replicas: 2, memory", "{memory"),
        ("run.web.memory", ", memory: 64Mi", ""),
        ("run.worker", "    worker:\n", ""),
    ],
)
def test_a_value_goes_with_its_line(path: str, gone: str, left: str) -> None:
    assert without(FILE, path.split("."), file="x") == FILE.replace(gone, left)


def test_what_is_empty_afterwards_goes_too() -> None:
    assert without("app: {A: 1}\n# end\n", ("app", "A"), file="x") == "# end\n"
    assert without(
        "app:\n  A: 1\nservices:\n  x:\n    app: {B: 1}\n", ("services", "x", "app", "B"), file="x"
    ) == ("app:\n  A: 1\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "app:\n  A: b c\n"),
        ("# only a comment", "# only a comment\napp:\n  A: b c\n"),
        ("app:\n", "app:\n  A: b c\n"),
        ("app:   # nothing yet\nrun: {}\n", "app:   # nothing yet\n  A: b c\nrun: {}\n"),
        ("app: {}\n", "app: {A: b c}\n"),
        ("{}\n", "{app: {A: b c}}\n"),
        ("app: {B: 1,}\n", "app: {B: 1, A: b c,}\n"),
        ("app:\n  B: 1", "app:\n  B: 1\n  A: b c"),
        ("app:\r\n  B: 1\r\n", "app:\r\n  B: 1\r\n  A: b c\r\n"),
        ("é: 1\napp: {Ü: é}\n", "é: 1\napp: {Ü: é, A: b c}\n"),
    ],
)
def test_every_beginning_is_known(before: str, after: str) -> None:
    assert with_value(before, ("app", "A"), "b c", file="x") == after


@pytest.mark.parametrize(
    "text", ["app: text\n", "app: [a]\n", "- a\n", "app: {\n", "app: &a {B: 1}\nb: *a\n"]
)
def test_what_it_does_not_know_is_left_alone(text: str) -> None:
    with pytest.raises(EcluseError, match="x is written in a way that cannot be edited here"):
        with_value(text, ("app", "A"), "b", file="x")


def test_what_is_not_there_cannot_go() -> None:
    with pytest.raises(KeyError):
        without(FILE, ("app", "NOBODY"), file="x")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SCALARS = st.one_of(TEXTS, st.integers(-(2**40), 2**40), st.booleans(), st.sampled_from(
    ["null", "~", "yes", "010", "1e3", "12:30", "- a", "a: b", "a #b", "2024-01-01", "${app.X}", "{a}", "[", "=", "<<"]
))  # fmt: skip
KEYS = st.sampled_from(["A", "B", "C", "D"])
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(KEYS, SCALARS, max_size=3))
MAPS = st.dictionaries(KEYS, st.one_of(VALUES, st.dictionaries(KEYS, VALUES, max_size=3)), max_size=4)


@given(SCALARS)
def test_every_scalar_is_read_back_by_old_and_new_readers(value: Plain) -> None:
    text = f"a: {scalar_text(value)}\n"
    document = read_document(text, "x")
    assume(not document.problems)
    assert document.value == {"a": value}
    assert yaml.safe_load(text) == {"a": value}


@given(MAPS, st.lists(KEYS, min_size=1, max_size=3), VALUES, st.sampled_from([None, True, False]))
def test_whatever_is_written_the_file_then_says_exactly_that(
    data: dict[str, Plain], path: list[str], value: Plain, flow: bool | None
) -> None:
    text = (
        "# first\n"
        + yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=2**20)
        + "# last\n"
    )
    assume(not read_document(text, "x").problems and read_document(text, "x").value == data)
    assume(not read_document(f"a: {scalar_text(value)}", "x").problems)
    try:
        edited = with_value(text, path, value, file="x")
    except EcluseError:
        inner: Plain = data
        for name in path[:-1]:
            inner = inner.get(name, {}) if isinstance(inner, dict) else inner
        assert not isinstance(inner, dict)
        return
    assert edited.startswith("# first\n")
    assert edited.rstrip("\n").endswith("# last") or "# last" in edited
    assert without(edited, path, file="x")
