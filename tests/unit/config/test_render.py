from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ecluse.config.render import Unrendered, template_text
from ecluse.model.secret import Sealed
from tests.unit.config.product_folder import ProductFolder


def render(text: str, *, is_secret: bool = False, **variables: object) -> str:
    return template_text(text, "t.j2", variables, is_secret=lambda: is_secret)


def told(text: str, *, is_secret: bool = False, **variables: object) -> str:
    with pytest.raises(Unrendered) as raised:
        render(text, is_secret=is_secret, **variables)
    return str(raised.value.problem)


def test_a_template_sees_its_variables() -> None:
    assert render("{% if ON %}{{ ON }} {{ KEY }}{% endif %}\n", ON=True, KEY=3) == "true 3\n"


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


LINES = """
{{ environment }} {{ environment.domain }} {{ product }} {{ release }} {{ release.version }} {{ service }}
{{ service.accounting.url }} {{ backing.db.host }}:{{ backing.db.port }} {{ run.web.port }} {{ run.web.expose.host }}
{{ app.HOST }} {{ service["accounting"]["url"] }} {% if app.LIST %}{{ app.LIST[1] }}{% endif %}
"""


def test_a_template_has_the_references_that_values_have(product: ProductFolder) -> None:
    contract = "HOST: {default: mail}\nLIST: {type: list, default: [a, b]}"
    product.invoicing(config=contract, more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", LINES)
    assert product.file("/x") == (
        "test test.localhost comptoir 1.4 1.4 invoicing\n"
        "http://accounting db:3306 8080 invoicing\n"
        "mail http://accounting b\n"
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{{ service.acounting.url }}", "no service is named acounting\n  hint: did you mean accounting?"),
        ("{{ service.accounting }}", "service.accounting is not a reference\n  hint: name what you mean"),
        ("{{ backing.db.hosts }}", "a backing service has no hosts\n  hint: did you mean host?"),
        ("{{ app.HOTS }}", "the contract of invoicing has no key HOTS\n  hint: did you mean HOST?"),
        ("{{ environment.nam }}", "environment.nam is not a reference\n  hint: did you mean name?"),
        ("{{ run.web.prot }}", "run.web.prot has no value\n  hint: did you mean port?"),
        ("{{ run._variables }}", "does what templates may not do"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_told_at_its_line(
    product: ProductFolder, line: str, problem: str
) -> None:
    product.invoicing(config="HOST: {default: mail}", more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", f"first\n\n{line}\n")
    assert product.problems() == f"services/invoicing/x.j2:3: {problem}"


@pytest.mark.parametrize(
    "template", ["{{ backing.db.password }}", "{{ backing.db.url }}", "{{ app.TOKEN }}", "{{ app.COPY }}"]
)
def test_a_secret_that_a_reference_brings_makes_the_file_a_secret(
    product: ProductFolder, template: str
) -> None:
    product.secrets = {"TOKEN": "hunter2"}
    contract = 'TOKEN: {secret: true}\nCOPY: {default: "${app.TOKEN}"}\n'
    product.invoicing(config=contract, more="files: {/x: {template: x.j2}, /y: {template: y.j2}}\n")
    product.write("services/invoicing/x.j2", template).write(
        "services/invoicing/y.j2", "{{ backing.db.host }}"
    )
    files = {file.path: file.content for file in product.application().files}
    assert isinstance(files["/x"], Sealed)
    assert files["/y"] == "db"


def test_an_error_after_a_secret_was_read_repeats_nothing_of_it(product: ProductFolder) -> None:
    product.secrets = {"TOKEN": "hunter2"}
    product.invoicing(config="TOKEN: {secret: true}", more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", "a\n{{ {}[app.TOKEN] }}")
    assert product.problems() == ("services/invoicing/x.j2:2: cannot be rendered (UndefinedError)")


def test_a_reference_to_a_broken_value_says_nothing_more(product: ProductFolder) -> None:
    product.invoicing(config='HOST: {default: "${app.X}"}', more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", "{{ app.HOST }}\n")
    assert product.problems().count("\n") == 1
