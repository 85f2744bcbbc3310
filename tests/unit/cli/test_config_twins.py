"""The questions on a product with encrypted twins: no answer holds a value, with or without an identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.asked import Asked
from tests.unit.config.product_folder import ACCOUNTING, PRODUCT
from tests.unit.config.test_twins import KEY, TWIN, Sealing

CANARY = "canary-7f3a"
CONTRACT = """
SMTP_PASSWORD: {secret: true, required: true}
SMTP_HOST: {default: localhost}
MAIL_URL: {type: url, default: "smtp://me:${app.SMTP_PASSWORD}@${app.SMTP_HOST}/"}
PIN: {type: integer, default: 3}
"""
PROD = TWIN.replace("/test/", "/prod/")


@pytest.fixture
def product(tmp_path: Path) -> Sealing:
    folder = Sealing(tmp_path / "product")
    holders = f"secrets: {{holders: {{alice: {KEY.to_public()}}}}}\n"
    folder.write("ecluse.yaml", PRODUCT + holders).write("services/accounting/service.yaml", ACCOUNTING)
    folder.invoicing(config=CONTRACT, more="files: {/config/x: {template: x.j2}}\n")
    folder.write("services/invoicing/x.j2", "{{ SMTP_PASSWORD }}\n")
    folder.seal("config/common.sops.yaml", f"app: {{SMTP_PASSWORD: {CANARY}-common}}\n")
    folder.seal(TWIN, f"app:\n  SMTP_PASSWORD: {CANARY}-test\n  SMTP_HOST: {CANARY}-host\n")
    folder.seal(PROD, f"app: {{SMTP_PASSWORD: {CANARY}-test}}\n")
    folder.commit()
    return folder


@pytest.fixture(params=["holder", "nobody"])
def asked(
    request: pytest.FixtureRequest, ask: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Asked:
    """Asked by who holds the key, and by who does not."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SOPS_AGE_KEY_FILE", raising=False)
    monkeypatch.delenv("SOPS_AGE_KEY", raising=False)
    if request.param == "holder":
        monkeypatch.setenv("SOPS_AGE_KEY", str(KEY))
    return ask


QUESTIONS = (
    ("show", "test", "invoicing"),
    ("explain", "test", "invoicing", "SMTP_PASSWORD"),
    ("explain", "test", "invoicing", "MAIL_URL"),
    ("explain", "prod", "invoicing", "SMTP_HOST"),
    ("where", "SMTP_PASSWORD"),
    ("where", "SMTP_HOST"),
    ("diff", "test", "prod"),
    ("diff", "test", "--at", "HEAD~1"),
    ("history", "test", "invoicing", "MAIL_URL"),
    ("unused",),
    ("repeated",),
    ("check",),
    ("set", "PIN", "4", "--service", "invoicing"),
    ("set", "SMTP_HOST", "mail", "--env", "prod"),
    ("schema", "config/services/invoicing.yaml"),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_no_answer_holds_a_value_of_a_twin(
    product: Sealing, asked: Asked, question: tuple[str, ...], form: tuple[str, ...]
) -> None:
    product.seal(TWIN, f"app:\n  SMTP_PASSWORD: {CANARY}-new\n  SMTP_HOST: {CANARY}-host\n")
    product.commit()
    answer = asked("config", *question, *(() if question[0] == "schema" else form))
    assert answer.code == 0, answer.err
    assert CANARY not in answer.out + answer.err
    assert "ecluse-unreadable" not in answer.out + answer.err


@pytest.mark.parametrize(
    "words",
    [("env", "test", "invoicing"), ("explain", "test", "invoicing", "NOPE"), ("set", "SMTP_PASSWORD", "x")],
)
def test_errors_and_a_dotenv_hold_none_either(asked: Asked, words: tuple[str, ...]) -> None:
    answer = asked("config", *words)
    assert CANARY not in answer.out + answer.err


def test_explain_names_file_and_line_in_the_twin_and_what_it_beats(asked: Asked) -> None:
    out = asked.ok("config", "explain", "test", "invoicing", "SMTP_PASSWORD").out
    lines = out.splitlines()
    assert lines[0] == "SMTP_PASSWORD of invoicing in test: (a secret)"
    assert lines[1] == f"  from     {TWIN}:2 (environment test, service invoicing)"
    assert " Camille " in lines[2]
    assert lines[3] == "  beats    (a secret)    of config/common.sops.yaml:2 (common)"


def test_a_secret_is_followed_through_references(asked: Asked) -> None:
    facts = asked.ok("config", "explain", "test", "invoicing", "MAIL_URL", "--json").json
    assert (facts["secret"], facts["value"]) == (True, None)
    assert [(one["name"], one["origin"]["file"]) for one in facts["through"]] == [
        ("app.SMTP_PASSWORD", TWIN), ("app.SMTP_HOST", TWIN),
    ]  # fmt: skip


def test_a_changed_secret_shows_as_changed_to_everybody(product: Sealing, asked: Asked) -> None:
    product.seal(TWIN, f"app:\n  SMTP_PASSWORD: {CANARY}-new\n  SMTP_HOST: {CANARY}-host\n")
    product.commit()
    out = asked.ok("config", "diff", "test", "--at", "HEAD~1", "invoicing").out
    assert "  SMTP_PASSWORD  a secret, another one\n" in out
    moments = asked.ok("config", "history", "test", "invoicing", "SMTP_PASSWORD", "--json").json
    assert len(moments) == 2


def test_secrets_that_are_the_same_are_no_difference_to_who_can_read_them(
    product: Sealing, asked: Asked
) -> None:
    names = {one["name"]: one["reason"] for one in asked.ok("config", "diff", "test", "prod", "--json").json}
    if "app.SMTP_PASSWORD" in names:
        assert names["app.SMTP_PASSWORD"] == "each environment has its own secrets"
        assert not asked.ok("config", "repeated", "--json").json
    else:
        (found,) = asked.ok("config", "repeated", "--json").json
        assert (found["value"], found["secret"], len(found["places"])) == (None, True, 2)


def test_a_reason_may_stand_beside_the_twin(product: Sealing, asked: Asked) -> None:
    product.layer("environments/test/services/invoicing", "reasons: {app.SMTP_HOST: a catcher of mails}\n")
    names = {one["name"]: one["reason"] for one in asked.ok("config", "diff", "test", "prod", "--json").json}
    assert names["app.SMTP_HOST"] == "a catcher of mails"


def test_unset_of_a_secret_names_the_command_for_it(product: Sealing, asked: Asked) -> None:
    answer = asked("config", "unset", "SMTP_PASSWORD", "--env", "test", "--service", "invoicing")
    assert (answer.code, answer.err) == (
        5, f"error: SMTP_PASSWORD is a secret in {TWIN}\nhint: ecluse secrets unset SMTP_PASSWORD --env test --service invoicing\n",
    )  # fmt: skip


def test_a_dotenv_with_secrets_needs_who_can_read_them(asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    answer = asked("config", "env", "test", "invoicing", "--secrets", "-o", str(file))
    if answer.code:
        assert (answer.code, file.exists()) == (7, False)
        assert "cannot be read here" in answer.err
    else:
        assert f"SMTP_PASSWORD={CANARY}-test\n" in file.read_text()
    assert CANARY not in answer.out + answer.err
