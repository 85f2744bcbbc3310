"""`ecluse config set`, `unset` and `env`, as people use them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.unit.cli.asked import Asked
from tests.unit.config.product_folder import ProductFolder

CONTRACT = """
MAIL_HOST: {default: localhost}
MAIL_URL: {type: url, default: "smtp://${app.MAIL_HOST}:25"}
DAYS: {type: integer, default: 30}
RATIO: {type: number}
ON: {type: boolean, default: false}
NAMES: {type: list}
TREE: {type: json}
NOTE: {default: ""}
TOKEN: {secret: true}
"""
COMMON = "# for all\napp:\n  MAIL_HOST: mail.example.fr  # the relay\n  DAYS: 30\n"


@pytest.fixture
def asked(product: ProductFolder, ask: Asked) -> Asked:
    product.invoicing(config=CONTRACT)
    product.write(
        "services/accounting/service.yaml", "service: accounting\nconfig:\n  DAYS: {}\n  MAIL_HOST: {}\n"
    )
    product.layer("common", COMMON)
    product.layer("environments/prod/services/invoicing", "app:\n  MAIL_HOST: mail.prod.example.fr\n")
    return ask


def test_set_edits_the_layer_in_place_and_says_whom_it_touches(product: ProductFolder, asked: Asked) -> None:
    answer = asked.ok("config", "set", "MAIL_HOST", "relay.example.fr")
    assert (product.root / "config/common.yaml").read_text() == COMMON.replace(
        "mail.example", "relay.example"
    )
    assert answer.err == "wrote config/common.yaml\n"
    assert answer.out == (
        "test/accounting  MAIL_HOST  mail.example.fr → relay.example.fr\n"
        "test/invoicing  MAIL_HOST  mail.example.fr → relay.example.fr\n"
        "test/invoicing  MAIL_URL  smtp://mail.example.fr:25 → smtp://relay.example.fr:25    through ${app.MAIL_HOST}\n"
        "prod/accounting  MAIL_HOST  mail.example.fr → relay.example.fr\n"
    )


def test_set_makes_the_file_of_a_layer_that_is_not_there_yet(product: ProductFolder, asked: Asked) -> None:
    asked.ok("config", "set", "DAYS", "60", "--env", "test", "--service", "invoicing")
    file = product.root / "config/environments/test/services/invoicing.yaml"
    assert file.read_text() == "app:\n  DAYS: 60\n"
    asked.ok("config", "set", "run.web.replicas", "2", "--env", "test", "--domain", "billing")
    file = product.root / "config/environments/test/domains/billing.yaml"
    assert file.read_text() == "run:\n  web:\n    replicas: 2\n"


def test_set_finds_the_service_inside_of_a_shared_file(product: ProductFolder, asked: Asked) -> None:
    product.layer("environments/test/common", "services:\n  invoicing:\n    app: {ON: true}\n")
    asked.ok("config", "set", "DAYS", "7", "--env", "test", "--service", "invoicing")
    assert (product.root / "config/environments/test/common.yaml").read_text() == (
        "services:\n  invoicing:\n    app: {ON: true, DAYS: 7}\n"
    )


@pytest.mark.parametrize(
    ("key", "words", "line"),
    [
        ("NOTE", "null", 'NOTE: "null"'),
        ("NOTE", "", 'NOTE: ""'),
        ("NOTE", "30", 'NOTE: "30"'),
        ("NOTE", "yes", 'NOTE: "yes"'),
        ("NOTE", "two words", "NOTE: two words"),
        ("NOTE", "${app.MAIL_HOST}", 'NOTE: "${app.MAIL_HOST}"'),
        ("DAYS", "${app.NOTE}", None),
        ("DAYS", "60", "DAYS: 60"),
        ("RATIO", "0.5", "RATIO: 0.5"),
        ("ON", "true", '"ON": true'),
        ("NAMES", "a,b", "NAMES: [a, b]"),
        ("NAMES", "[a, 'b c']", "NAMES: [a, b c]"),
        ("TREE", '{"a": [1, null]}', "TREE: {a: [1, null]}"),
    ],
)
def test_words_become_what_the_contract_says(
    product: ProductFolder, asked: Asked, key: str, words: str, line: str | None
) -> None:
    file = product.root / "config/services/invoicing.yaml"
    answer = asked("config", "set", key, words, "--service", "invoicing")
    if line is None:
        assert (answer.code, file.exists()) == (3, False)
        return
    assert answer.code == 0, answer.err
    assert file.read_text() == f"app:\n  {line}\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("DAYS", "sixty", "--service", "invoicing"), 5, "error: DAYS must be an integer\n"),
        (("DAYS", "60"), 5, "error: DAYS is of several types (integer, string)\nhint: set it for one service: --service NAME\n"),
        (("ON", "yes", "--service", "invoicing"), 5, "error: ON must be true or false\nhint: yes, no, on and off are texts\n"),
        (("TREE", "{", "--service", "invoicing"), 5, "error: TREE must be JSON\nhint: quote it for the shell: '{\"a\": 1}'\n"),
        (("TOKEN", "hunter2", "--service", "invoicing"), 5, "error: TOKEN is a secret\nhint: ecluse secrets set TOKEN --service invoicing\n"),
        (("TOKEN", "--null", "--service", "invoicing"), 5, "error: TOKEN is a secret\nhint: ecluse secrets set TOKEN --service invoicing\n"),
        (("DAY", "60", "--service", "invoicing"), 4, "error: the contract of invoicing has no key DAY\nhint: did you mean DAYS?\n"),
        (("NOTED", "60"), 4, "error: no service declares NOTED\nhint: did you mean NOTE?\n"),
        (("NOTE", "x", "--env", "prd"), 4, "error: there is no environment 'prd'\nhint: did you mean prod?\n"),
        (("run.web", "x"), 2, "error: run.web is not the name of a value\nhint: write KEY, or run.PROCESS.FIELD\n"),
        (("NOTE",), 2, 'error: give a value, or --null\nhint: an empty text is ""\n'),
        (("run.web.memory", ""), 3, None),
        (("run.web.memory", "~"), 2, "error: a value must be given\nhint: `ecluse config unset` removes one\n"),
        (("run.web.memory", "lots"), 3, "config/common.yaml:7: run.web.memory: must be a size like 128Mi, 1Gi or "
         "500M\nerror: 1 problem\n"),
        (("NOTE", "${app.NOTED}"), 3, None),
    ],
)  # fmt: skip
def test_what_would_be_wrong_is_not_written(
    product: ProductFolder, asked: Asked, words: tuple[str, ...], code: int, told: str | None
) -> None:
    before = {path: path.read_text() for path in product.root.rglob("*.yaml")}
    answer = asked("config", "set", *words)
    assert answer.code == code, answer.err
    assert told is None or answer.err == told
    assert "hunter2" not in answer.out + answer.err
    assert {path: path.read_text() for path in product.root.rglob("*.yaml")} == before


def test_null_is_written_only_when_it_is_asked_for(product: ProductFolder, asked: Asked) -> None:
    answer = asked.ok(
        "config", "set", "MAIL_HOST", "--null", "--env", "test", "--service", "accounting", "--json"
    )
    assert (
        product.root / "config/environments/test/services/accounting.yaml"
    ).read_text() == "app:\n  MAIL_HOST: null\n"
    assert answer.json["touched"][0]["after"]["value"] is None


def test_unset_takes_the_value_out_and_what_is_below_counts_again(
    product: ProductFolder, asked: Asked
) -> None:
    answer = asked.ok("config", "unset", "MAIL_HOST", "--env", "prod", "--service", "invoicing")
    assert (product.root / "config/environments/prod/services/invoicing.yaml").read_text() == ""
    assert answer.out.startswith("prod/invoicing  MAIL_HOST  mail.prod.example.fr → mail.example.fr\n")
    again = asked("config", "unset", "MAIL_HOST", "--env", "prod", "--service", "invoicing")
    assert (again.code, again.err.splitlines()[0]) == (
        4, "error: config/environments/prod/services/invoicing.yaml does not give MAIL_HOST",
    )  # fmt: skip


def test_an_edit_that_a_more_specific_layer_beats_is_said(asked: Asked) -> None:
    asked.ok("config", "set", "MAIL_HOST", "mail.test.example.fr", "--env", "test", "--service", "invoicing")
    answer = asked.ok("config", "set", "MAIL_HOST", "x.example.fr", "--env", "test", "--domain", "billing")
    assert (
        answer.out == "no service is touched: a more specific layer has the say, or the value is the same\n"
    )


def test_a_dry_run_writes_nothing(product: ProductFolder, asked: Asked) -> None:
    answer = asked.ok("config", "set", "MAIL_HOST", "relay.example.fr", "--dry-run")
    assert answer.err == "would write config/common.yaml\n"
    assert "relay.example.fr" in answer.out
    assert (product.root / "config/common.yaml").read_text() == COMMON


def test_the_rights_of_an_edited_file_stay(product: ProductFolder, asked: Asked) -> None:
    file = product.root / "config/common.yaml"
    file.chmod(0o640)
    asked.ok("config", "set", "MAIL_HOST", "relay.example.fr")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not [path for path in file.parent.iterdir() if path.name.startswith(".")]


def test_env_writes_what_a_service_gets_without_its_secrets(
    product: ProductFolder, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECLUSE_SECRET_TOKEN", "it's hunter2")
    answer = asked.ok("config", "env", "test", "invoicing")
    assert answer.out == (
        "# invoicing as it is in test. Not for git.\n"
        "MAIL_HOST=mail.example.fr\nMAIL_URL=smtp://mail.example.fr:25\nDAYS=30\nON=false\nNOTE=\n# TOKEN=\n"
    )
    assert answer.err == "left out: TOKEN (secrets: --secrets)\n"


def test_env_with_secrets_goes_into_a_private_file(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECLUSE_SECRET_TOKEN", "it's hunter2")
    file = tmp_path / ".env"
    file.write_text("older")
    file.chmod(0o644)
    answer = asked.ok("config", "env", "test", "invoicing", "--secrets", "--output", str(file))
    assert (answer.out, answer.err) == ("", f"wrote {file} (mode 600)\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().splitlines()[-1] == 'TOKEN="it\'s hunter2"'
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [".env"]


def test_env_that_cannot_be_written_is_said(asked: Asked, tmp_path: Path) -> None:
    answer = asked("config", "env", "test", "invoicing", "-o", str(tmp_path / "nowhere" / ".env"))
    assert answer.code == 2
    assert "cannot write" in answer.err
