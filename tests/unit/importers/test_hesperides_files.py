"""Every rule of Hesperides by which a file comes out: ours is the same, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.hesperides.server import Hesperides, deployed, serving, template
from tests.unit.importers.folder import Folder

PASSWORD = "s3cret-prod"


@dataclass
class Case:
    """A template, what is given for it, and the file."""

    content: str
    expected: str
    module: dict[str, Any] = field(default_factory=dict)
    globals: dict[str, str] = field(default_factory=dict)
    instance: dict[str, str] | None = None
    path: str = "#GROUP#SUB"


CASES = {
    "values": Case("{{ a }}-{{b}}\n", "1-2\n", {"a": "1", "b": "2"}),
    "an absent value is empty": Case("[{{a}}]", "[]"),
    "a default serves an absent value": Case("{{a | @default x }}{{b|@default x}}", "x1", {"b": "1"}),
    "a blank value gives way to the default": Case("{{a|@default x}}{{b}}", "x", {"a": "  ", "b": "  "}),
    "a default in quotes": Case('{{a|@Default "G \\"9\\" D" @Comment "…"}}', 'G "9" D'),
    "a default in single quotes": Case("{{a|@default 'it is'}}", "it is"),
    "a bare default is one word": Case("{{a|@default one two}}", "one"),
    "values are not trimmed": Case("[{{a}}]", "[ x ]", {"a": " x "}),
    "nothing is escaped for HTML": Case("{{a}}", "<a href=\"&\">'", {"a": "<a href=\"&\">'"}),
    "dots and dashes are a part of names": Case("{{a.b-c}}{{a.b.c}}", "12", {"a.b-c": "1", "a.b.c": "2"}),
    "names differ by case": Case("{{a-b}}{{A-B}}", "12", {"a-b": "1", "A-B": "2"}),
    "the same name with two comments": Case("{{a|one}}{{a|two}}", "xx", {"a": "x"}),
    "two defaults of one name: the first": Case("{{a|@default 10}} {{a|@default 5}}", "10 10"),
    "two defaults under two comments": Case("{{a|x @default 10}} {{a|y @default 5}}", "10 5"),
    "two defaults and a value": Case("{{a|x @default 10}} {{a|y @default 5}}", "7 7", {"a": "7"}),
    "a global wins over the module": Case("{{a}}", "G", {"a": "M"}, {"a": "G"}),
    "a global alone": Case("{{a}}", "G", {}, {"a": "G"}),
    "a blank global gives way to the default": Case("{{a|@default d}}", "d", {"a": "M"}, {"a": " "}),
    "a value refers to another": Case("{{a}}", "x-1", {"a": "x-{{ b }}", "b": "1"}),
    "a value refers on and on": Case("{{a}}", "1", {"a": "{{b}}", "b": "{{c}}", "c": "{{d}}", "d": "1"}),
    "a value refers to a global": Case("{{a}}", "g!", {"a": "{{g}}!"}, {"g": "g"}),
    "a global refers to a module's value": Case("{{g}}", "m!", {"m": "m"}, {"g": "{{m}}!"}),
    "a global refers to a global": Case("{{g}}", "h!", {}, {"g": "{{h}}!", "h": "h"}),
    "a reference to a default": Case("{{a}}{{b|@default d}}", "dd", {"a": "{{b}}"}),
    "a reference with an annotation in the template": Case("{{a|c}}{{b}}", "11", {"a": "1", "b": "{{a}}"}),
    "a reference to nothing is erased": Case("[{{a}}]", "[x]", {"a": "x{{nobody}}"}),
    "what is erased to nothing gives way to the default": Case("{{a|@default d}}", "d", {"a": "{{nobody}}"}),
    "a value that refers to itself is erased": Case("[{{a}}]", "[]", {"a": "{{ a }}"}),
    "values that refer to each other are erased": Case("[{{a}}{{b}}]", "[]", {"a": "{{b}}", "b": "{{a}}"}),
    "an instance fills a reference": Case("{{a}}", "i", {"a": "{{i}}"}, {}, {"i": "i"}),
    "an instance refers to a global": Case("{{a}}", "g", {"a": "{{i}}"}, {"g": "g"}, {"i": "{{g}}"}),
    "an instance value that nobody asks for": Case("{{a}}", "m", {"a": "m"}, {}, {"a": "i"}),
    "an instance fills a value that names itself": Case("{{a|c}}", "i", {"a": "{{a}}"}, {}, {"a": "i"}),
    "an instance under a global that names itself": Case(
        "{{a|c}}", "i", {"a": "{{a}}"}, {"a": "{{a}}"}, {"a": "i"}
    ),
    "a global wins over an instance": Case("{{a}}", "g", {"a": "{{a}}"}, {"a": "g"}, {"a": "i"}),
    "an instance of a global's reference": Case("{{g}}", "i/x", {}, {"g": "{{i}}/x"}, {"i": "i"}),
    "what is of no template fills references": Case("{{a}}", "old", {"a": "{{old}}", "old": "old"}),
    "predefined values": Case(
        "{{hesperides.application.name}} {{hesperides.application.version}} {{hesperides.platform.name}} "
        "{{hesperides.module.name}} {{hesperides.module.version}} {{hesperides.module.path.full}} "
        "{{hesperides.module.path.0}} {{hesperides.module.path.1}} [{{hesperides.module.path.2}}] "
        "[{{hesperides.module.path}}] {{hesperides.instance.name}}",
        "SHOP 7 PRD1 web 1.0 /GROUP/SUB GROUP SUB [] [] web01",
        instance={},
    ),
    "a predefined value wins over an instance": Case(
        "{{a}}", "SHOP", {"a": "{{hesperides.application.name}}"}, {}, {"hesperides.application.name": "no"}
    ),
    "a global wins over a predefined value": Case(
        "{{hesperides.platform.name}}", "g", {}, {"hesperides.platform.name": "g"}
    ),
    "an iterable": Case(
        "{{#a}}\n  {{x}}={{y|@default d}}\n{{/a}}\nend\n",
        "  1=d\n  2=3\nend\n",
        {"a": [{"_title": "one", "x": "1"}, {"x": "2", "y": "3"}]},
    ),
    "an iterable without items": Case("a\n{{#a}}\n{{x}}\n{{/a}}\nb", "a\nb"),
    "an iterable in a line": Case("[{{#a}}{{x}},{{/a}}]", "[1,2,]", {"a": [{"x": "1"}, {"x": "2"}]}),
    "an iterable at the end, without a newline": Case("{{#a}}\n{{x}}\n{{/a}}", "1\n", {"a": [{"x": "1"}]}),
    "an indented iterable": Case("x:\n  {{#a}}\n  - {{x}}\n  {{/a}}\ny", "x:\n  - 1\ny", {"a": [{"x": "1"}]}),
    "iterables in iterables": Case(
        "{{#a}}{{n}}:{{#b}}{{x}}{{/b}};{{/a}}",
        "1:ab;2:c;3:;",
        {"a": [{"n": "1", "b": [{"x": "a"}, {"x": "b"}]}, {"n": "2", "b": [{"x": "c"}]}, {"n": "3", "b": []}]},
    ),
    "an item sees the values around it": Case(
        "{{#a}}{{#b}}{{in-a}}-{{in-b}}-{{top}}-{{none}};{{/b}}{{in-a}}{{/a}}{{top}}",
        "1-2-3-;13",
        {"top": "3", "a": [{"in-a": "1", "b": [{"in-b": "2"}]}]},
    ),
    "an item wins over the global": Case(
        "{{#a}}{{g}}{{h}}{{/a}}", "iH", {"a": [{"g": "i"}]}, {"g": "G", "h": "H"}
    ),
    "a default in an item gives way to the global": Case(
        "{{#a}}{{g|@default d}}{{h|@default d}}{{/a}}", "Gd", {"a": [{}]}, {"g": "G"}
    ),
    "a default outside serves an item that has none": Case(
        "{{x|@default d}}{{#a}}[{{x}}{{x|@default e}}{{x|other}}]{{/a}}", "d[de]", {"a": [{}]}
    ),
    "two defaults in items": Case("{{#a}}{{x|@default 10}} {{x|@default 5}};{{/a}}", "10 5;", {"a": [{}]}),
    "an item refers to values": Case(
        "{{#a}}{{x}} {{y}} {{z}};{{/a}}{{m}}",
        "g SHOP M;M",
        {"a": [{"x": "{{g}}", "y": "{{hesperides.application.name}}", "z": "{{m}}"}], "m": "M"},
        {"g": "g"},
    ),
    "an item refers to an instance": Case("{{#a}}{{x}}{{/a}}", "i", {"a": [{"x": "{{i}}"}]}, {}, {"i": "i"}),
    "an item sees predefined values": Case("{{#a}}{{hesperides.module.name}}{{/a}}", "web", {"a": [{}]}),
    "other delimiters": Case(
        "{{=<% %>=}}\n<% a %>\n${{NOT}}\n<%={{ }}=%>\n{{a}}", "\n1\n${{NOT}}\n\n1", {"a": "{{b}}", "b": "1"}
    ),
    "comments vanish": Case("a{{! nothing }}b", "ab"),
    "unescaped tags": Case("{{{a}}}{{&b}}", "<>", {"a": "<", "b": ">"}),
    "what Jinja would read": Case(
        "{% if x %} {# c #} {{a}} {%{{a}}%} {{{a}}} %} #} }} {{a}}",
        "{% if x %} {# c #} 1 {%1%} 1 %} #} }} 1",
        {"a": "1"},
    ),
    "a brace before and after a tag": Case("{ {{a}}}\n{%{{a}}", "{ 1}\n{%1", {"a": "1"}),
    "what Jinja would read in a value": Case("{{a}}", "{% x %} {# y #} {{", {"a": "{% x %} {# y #} {{"}),
    "what our layers would read in a value": Case(
        "{{a}} {{b}}", "${HOME} $${x} ${app.A} 1$ $1", {"a": "${HOME} $${x} ${app.A}", "b": "{{c}}$ ${{c}}", "c": "1"}
    ),
    "Windows line ends": Case("a={{a}}\r\n{{#l}}\r\n{{x}}\r\n{{/l}}\r\nb\r\n", "a=1\r\n2\r\nb\r\n", {"a": "1", "l": [{"x": "2"}]}),
    "newlines at the end": Case("a\n\n\n", "a\n\n\n"),
    "newlines and quotes in values": Case("{{a}}", "l1\nl2 \"q\" 'p' \\n # x: y", {"a": "l1\nl2 \"q\" 'p' \\n # x: y"}),
    "values like numbers and booleans": Case(
        "{{a}} {{b}} {{c}} {{d}} {{e}}", "010 true null 1e3 ~", {"a": "010", "b": "true", "c": "null", "d": "1e3", "e": "~"}
    ),
    "letters of every kind": Case("é {{a}}", "é ñ 😀 \u2028", {"a": "ñ 😀 \u2028"}),
    "an empty template": Case("", ""),
}  # fmt: skip


def world(case: Case) -> Hesperides:
    hesperides = Hesperides()
    key = hesperides.module("web", template("app.conf", case.content))
    instances = {"web01": case.instance} if case.instance is not None else {}
    hesperides.platform("PRD1", deployed(key, case.module, path=case.path, **instances), production=True)
    hesperides.platforms["PRD1"]["globals"] = case.globals
    return hesperides


def bring(folder: Folder, url: str, *words: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("HESPERIDES_PASSWORD", PASSWORD)
    return folder.run(
        "import", "hesperides", "--url", url, "--user", "prod-user", "--application", "SHOP", *words
    )


@pytest.mark.parametrize("name", CASES)
def test_a_file_comes_out_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    monkeypatch.setenv("ECLUSE_STATE", str(tmp_path / "state"))
    folder = Folder(tmp_path / "product")
    with serving(world(case)) as url:
        assert bring(folder, url, "--verify", monkeypatch=monkeypatch) == 0
        before = folder.files()
        assert bring(folder, url, "--verify", monkeypatch=monkeypatch) == 0
    assert folder.files() == before
    (file,) = folder.application("prd1", "web").files
    assert (file.path, folder.text(file.content)) == ("/etc/app/app.conf", case.expected)
    folder.assert_checks()
