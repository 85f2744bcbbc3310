from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.config.render import Named, Unrendered, env_quoted, settings_text, template_text
from ecluse.model.service import ContractKey, Plain
from tests.unit.config.product_folder import ProductFolder

KEYS = {
    "A": ContractKey("A"),
    "B": ContractKey("B", "boolean"),
    "L": ContractKey("L", "list"),
    "J": ContractKey("J", "json"),
}
VALUES: dict[str, Plain] = {"A": "yes", "B": True, "L": ["a", 1], "J": {"k": "é"}}


def test_an_env_file_has_a_line_for_each_key() -> None:
    assert settings_text("env", KEYS, VALUES) == 'A=yes\nB=true\nL=a,1\nJ=\'{"k":"é"}\'\n'


def test_a_json_file_has_native_values() -> None:
    assert settings_text("json", KEYS, VALUES) == (
        '{\n  "A": "yes",\n  "B": true,\n  "L": [\n    "a",\n    1\n  ],\n  "J": {\n    "k": "é"\n  }\n}\n'
    )


def test_a_yaml_file_quotes_every_text() -> None:
    assert settings_text("yaml", KEYS, VALUES) == 'A: "yes"\nB: true\nL: ["a", 1]\nJ: {"k": "é"}\n'
    assert settings_text("yaml", KEYS, {}) == "{}\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("http://a.fr:80/x", "http://a.fr:80/x"),
        ("", ""),
        ("two words", "'two words'"),
        ("#no comment", "'#no comment'"),
        ("$HOME `id` \\", "'$HOME `id` \\'"),
        ("it's", '"it\'s"'),
        ("a\nB=injected", '"a\\nB=injected"'),
        ('it\'s $5 "or" `x` \\n', '"it\'s \\$5 \\"or\\" \\`x\\` \\\\n"'),
    ],
)
def test_a_text_is_quoted_so_that_no_reader_sees_more_in_it(text: str, quoted: str) -> None:
    assert env_quoted(text) == quoted


@given(st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"])))
def test_a_shell_reads_the_text_of_one_line_back(text: str) -> None:
    script = f'A={env_quoted(text)}\nprintf %s "$A"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_stays_on_its_line_and_comes_back(text: str) -> None:
    quoted = env_quoted(text)
    assert "\n" not in quoted
    if quoted.startswith('"'):
        unescape = {"n": "\n", "r": "\r"}
        assert re.sub(r"\\(.)", lambda found: unescape.get(found[1], found[1]), quoted[1:-1]) == text
    else:
        assert quoted.strip("'") == text.strip("'")


def render(text: str, *, is_secret: bool = False, **variables: object) -> str:
    return template_text(text, "t.j2", variables, is_secret=is_secret)


def told(text: str, *, is_secret: bool = False, **variables: object) -> str:
    with pytest.raises(Unrendered) as raised:
        render(text, is_secret=is_secret, **variables)
    return str(raised.value.problem)


def test_a_template_sees_its_variables() -> None:
    environment = Named("test", domain="test.localhost")
    text = "{% if ON %}{{ ON }} {{ KEY }}{% endif %} {{ environment }} {{ environment.domain }}\n"
    assert render(text, ON=True, KEY=3, environment=environment) == "true 3 test test.localhost\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n{{ KEX }}\n", "t.j2:2: KEX is not defined\n  hint: did you mean KEY?"),
        ("a\n\n{% if KEY %}\n", "t.j2:3: is not a template: Unexpected end of template. Jinja was looking for the "
         "following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'."),
        ("{{ NONE }}", "t.j2:1: writes out a key that has no value\n"
         "  hint: ask `{% if KEY %}` first, or make the key required"),
        ("{% for i in range(1000000) %}x{% endfor %}", "t.j2:1: grows too large\n"
         "  hint: a file has at most 1048576 characters and 100000 loops"),
        ("{{ 'x' * 100000000 }}", "t.j2:1: grows too large\n"
         "  hint: a file has at most 1048576 characters and 100000 loops"),
        ("{{ 9 ** 9 ** 9 }}", "t.j2:1: grows too large\n"
         "  hint: a file has at most 1048576 characters and 100000 loops"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "t.j2:1: grows too large\n"
         "  hint: a file has at most 1048576 characters and 100000 loops"),
        ("\n{{ KEY.__class__.__mro__ }}", "t.j2:2: does what templates may not do"),
        ("\n{{ 1 / 0 }}", "t.j2:2: cannot be rendered: division by zero"),
        ("{% include 'x' %}", "t.j2:1: cannot be rendered: no loader for this environment specified"),
    ],
)  # fmt: skip
def test_a_template_that_makes_no_file_is_told_at_its_line(text: str, problem: str) -> None:
    assert told(text, KEY="value", NONE=None) == problem


def test_nested_loops_share_one_budget() -> None:
    text = "{% for a in range(900) %}{% for b in range(900) %}{% endfor %}{% endfor %}"
    assert "grows too large" in told(text)


@pytest.mark.parametrize("text", ["{{ {}[PASSWORD] }}", "{{ PASSWORD.nothing() }}", "{{ PASSWORD / 2 }}"])
def test_jinja_does_not_repeat_a_secret(text: str) -> None:
    assert "hunter2" not in told(text, PASSWORD="hunter2", is_secret=True)


def test_a_secret_makes_the_whole_file_a_secret(product: ProductFolder) -> None:
    product.secrets = {"SMTP_PASSWORD": "it's hunter2"}
    product.invoicing(
        config="SMTP_PASSWORD: {secret: true}\nHOST: {default: mail}",
        more="""
        deliver: {path: /config/.env, format: env}
        files:
          /config/plain: {template: plain.j2, mode: "0444", owner: www-data}
          /config/secret: {template: secret.j2}
        """.replace("\n        ", "\n"),
    )
    product.write("services/invoicing/plain.j2", "host={{ HOST }} of {{ service }}\n")
    product.write("services/invoicing/secret.j2", "password={{ SMTP_PASSWORD }}\n")
    application = product.application()
    files = {file.path: file for file in application.files}
    assert files["/config/plain"].content == "host=mail of invoicing\n"
    assert (files["/config/plain"].mode, files["/config/plain"].owner) == (0o444, "www-data")
    assert not isinstance(files["/config/secret"].content, str)
    assert not isinstance(files["/config/.env"].content, str)
    assert product.file("/config/secret") == "password=it's hunter2\n"
    assert product.file("/config/.env") == 'SMTP_PASSWORD="it\'s hunter2"\nHOST=mail\n'
    assert not application.env


def test_a_bad_template_is_told_among_the_problems(product: ProductFolder) -> None:
    product.invoicing(config="HOST: {}", more="files: {/x: {template: t/x.j2}}\n")
    product.write("services/invoicing/t/x.j2", "a\n{{ HOSTT }}\n")
    assert (
        product.problems() == "services/invoicing/t/x.j2:2: HOSTT is not defined\n  hint: did you mean HOST?"
    )


def test_a_template_of_a_broken_value_says_nothing_more(product: ProductFolder) -> None:
    product.invoicing(config='HOST: {default: "${app.X}"}', more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", "{{ HOST }}\n")
    assert product.problems() == (
        "services/invoicing/service.yaml:6: config.HOST.default: the contract of invoicing has no key X\n"
        "  hint: known: HOST"
    )


def test_the_file_of_a_service_may_be_read_by_the_shell(product: ProductFolder, tmp_path: Path) -> None:
    product.invoicing(
        config="NOTE: {default: \"a 'b' $c\"}", more="deliver: {path: /config/.env, format: env}\n"
    )
    file = tmp_path / "env"
    file.write_text(product.file("/config/.env"))
    done = subprocess.run(
        ["sh", "-c", f'. {file}; printf %s "$NOTE"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == "a 'b' $c"
