"""Whatever stands in what people bring: a draft, or problems in our words; no other error, and no secret told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.errors import EcluseError
from ecluse.importers.compose.convert import Asked, import_compose
from ecluse.importers.dotenv import read_env
from ecluse.importers.draft import Draft
from ecluse.importers.env import Source, import_env
from ecluse.importers.hesperides.convert import Choice, convert
from ecluse.importers.hesperides.dump import read_dump
from ecluse.importers.written import merged, yaml_text

SECRET = "hunter2-Tr0ub4dor"
PIECES = [
    "A", "B_C", "=", ":", " ", "\n", "\r\n", "\t", "#", '"', "'", "$", "${", "}", "$$", "${A}", "${A:-", "${B?x}", "\\",
    "export ", "{", "[", "]", ",", "&a ", "*a", "<<: ", "- ", "  ", "true", "~", "\ufeff", "\0", "é", f"PASSWORD={SECRET}",
    "services:", "\n  web:", "\n    image: x", "\n    environment: ", "\n    ports: [", "80:80", "healthcheck", "test",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200)
SCALAR = st.sampled_from(
    ["", "x", "80", "80:90", "0.5", "1e9", "256M", "-1", "1/0", "true", "CMD", "CMD-SHELL", "NONE", "--password=hunter2", "db",
     "mysql://a:b@db:3306/c", "http://[", "http://web:99999", "localhost", "../x", "/x", ".", "x\ny", "${app.A}", "5s", "9" * 30]
) | st.none() | st.integers() | st.booleans() | st.text(max_size=20)  # fmt: skip
TREE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "image", "build", "command", "ports", "expose", "environment", "env_file", "depends_on", "deploy", "healthcheck", "links",
    "volumes", "networks", "container_name", "hostname", "cpus", "mem_limit", "scale", "stop_grace_period", "entrypoint",
]  # fmt: skip
SERVICE = st.dictionaries(st.sampled_from(KEYS), TREE, max_size=6)
NAMES = st.sampled_from(["web", "db", "My_Api", "common", "9", "é", "", "a" * 60])


def told(work: Any) -> None:
    """The work ends with a draft that can be written, or with an error of ours that tells no secret."""
    draft, said = None, ""
    try:
        draft = work()
    except EcluseError as error:
        said = str(error)
    assert SECRET not in said
    if draft is None:
        return
    assert isinstance(draft, Draft)
    assert SECRET not in " ".join(
        f"{entry.where} {entry.what}" for entry in draft.report if entry.fate == "secret"
    )
    plan = merged(draft, lambda _: None, {}, overwrite=False)
    again = merged(draft, plan.files.get, plan.written, overwrite=False)
    assert (again.files, again.entries) == ({}, [])


def compose(text: str) -> Draft:
    return import_compose(Asked("compose.yaml", text, "test", {}, {"A": "1"}, "folder", has_product=False))


@settings(max_examples=300)
@given(TEXT)
def test_any_text_as_an_env_file(text: str) -> None:
    read_env(text, ".env")
    told(lambda: import_env([Source(".env", text, "web", "test")], environments=["test"], contracts={}))


@settings(max_examples=300)
@given(TEXT)
def test_any_text_as_a_compose_file(text: str) -> None:
    told(lambda: compose(text))


@settings(max_examples=300)
@given(st.dictionaries(NAMES, SERVICE, max_size=4))
def test_any_services_as_a_compose_file(services: dict[str, Any]) -> None:
    import json

    told(lambda: compose(json.dumps({"services": services}).replace("$", "$$")))


MUSTACHE = ["{{", "}}", "{{a}}", "{{#l}}", "{{/l}}", "{{b|@default x}}", "{{=<% %>=}}", "{{{", "|", "@required", "\n", "\r\n",
            " ", "{%", "{#", "${", "x", "{", "}", "{{ a }}", "{{l}}"]  # fmt: skip
TEMPLATE = st.lists(st.sampled_from(MUSTACHE), max_size=25).map("".join)


@settings(max_examples=300)
@given(TEMPLATE, st.dictionaries(st.sampled_from(["a", "b", "l", "x"]), TEMPLATE, max_size=4), TREE)
def test_any_template_and_values_as_a_dump(template: str, values: dict[str, str], tree: Any) -> None:
    key = {"name": "web", "version": "1", "working_copy": False}
    pairs = [{"name": name, "value": value} for name, value in values.items()]
    items = [{"name": "l", "iterable_valorisation_items": [{"title": "t", "values": pairs}]}]
    document = {
        "hesperides": 1,
        "application": "SHOP",
        "modules": [
            {
                "module": key,
                "templates": [{"name": "t", "filename": "f", "location": "/l", "content": template}],
            }
        ],
        "platforms": [
            {
                "platform": {
                    "platform_name": "P",
                    "modules": [{**key, "path": "#A", "properties_path": "p"}],
                },
                "globals": {"key_value_properties": pairs[:1]},
                "properties": {"p": {"key_value_properties": pairs, "iterable_properties": items}},
            }
        ],
    }
    told(lambda: convert(read_dump(document, "d"), Choice({"P": "p"})).draft)
    document["platforms"] = tree
    told(lambda: convert(read_dump(document, "d"), Choice({"P": "p"})).draft)


@given(TREE)
def test_what_is_written_reads_back_the_same(tree: Any) -> None:
    from ecluse.config.document import read_document

    value = {"app": {"A": as_plain(tree)}}
    document = read_document(yaml_text(value), "x.yaml")
    assert not document.problems
    assert document.value == value


def as_plain(tree: Any) -> Any:
    """Without what YAML files of ours cannot hold: surrogates, and numbers of more than 64 bits."""
    if isinstance(tree, dict):
        return {as_plain(key): as_plain(item) for key, item in tree.items() if as_plain(key) not in ("<<",)}
    if isinstance(tree, list):
        return [as_plain(item) for item in tree]
    if isinstance(tree, str):
        return tree.encode("utf-8", "replace").decode()
    return tree if not isinstance(tree, int) or isinstance(tree, bool) or abs(tree) < 2**62 else 0
