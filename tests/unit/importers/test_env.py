from __future__ import annotations

import json

import pytest

from tests.unit.importers.folder import Folder

TEST = """
APP_ENV=test
LOG_LEVEL=debug
SHARED=the same
PORT=8080
LDAP=false
API=https://api.example.fr/v1
MOTD="two
lines, ${APP_ENV}"
"""
PROD = """
APP_ENV=prod
LOG_LEVEL=debug
SHARED=the same
PORT=80
LDAP=true
API=https://api.example.fr/v2
MOTD='costs $5 and ${NOTHING}'
"""


PAYROLL = "SHARED=the same\nLOG_LEVEL=info\n"


def files(folder: Folder) -> list[object]:
    return [
        f"test/invoicing={folder.write('old/a', TEST)}",
        f"prod/invoicing={folder.write('old/b', PROD)}",
        f"test/payroll={folder.write('old/c', PAYROLL)}",
        f"prod/payroll={folder.write('old/d', PAYROLL + 'ONLY_PROD=1')}",
    ]


def test_every_value_is_the_same_afterwards_and_what_is_common_is_said_once(folder: Folder) -> None:
    assert folder.run("import", "env", *files(folder)) == 0
    folder.assert_checks()
    assert folder.values("test", "invoicing") == {
        "APP_ENV": "test",
        "LOG_LEVEL": "debug",
        "SHARED": "the same",
        "PORT": "8080",
        "LDAP": "false",
        "API": "https://api.example.fr/v1",
        "MOTD": "two\nlines, test",
    }
    assert folder.values("prod", "invoicing")["MOTD"] == "costs $5 and ${NOTHING}"
    assert folder.values("prod", "payroll") == {"SHARED": "the same", "LOG_LEVEL": "info", "ONLY_PROD": "1"}
    assert folder.values("test", "payroll") == {"SHARED": "the same", "LOG_LEVEL": "info"}
    assert folder.read("config/common.yaml") == 'app:\n  SHARED: "the same"\n'
    assert folder.read("config/services/payroll.yaml") == "app:\n  LOG_LEVEL: info\n"
    contract = folder.read("services/invoicing/service.yaml")
    assert "  PORT: {type: integer, required: true}\n" in contract
    assert "  LDAP: {type: boolean, required: true}\n" in contract
    assert "  API: {type: url, required: true}\n" in contract


def test_a_second_run_changes_nothing(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    words = files(folder)
    folder.run("import", "env", *words)
    before = folder.files()
    capsys.readouterr()
    assert folder.run("import", "env", *words) == 0
    assert folder.files() == before
    assert "nothing to write: everything is here already" in capsys.readouterr().out


def test_what_people_changed_moved_or_commented_since_stays(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    words = files(folder)
    folder.run("import", "env", *words)
    folder.write("config/services/payroll.yaml", "# ours\napp:\n  LOG_LEVEL: warning  # quieter\n")
    folder.write("config/common.yaml", "app: {}\n")
    before = folder.files()
    capsys.readouterr()
    assert folder.run("import", "env", *words) == 0
    assert folder.files() == before
    out = capsys.readouterr().out
    assert (
        "config/services/payroll.yaml: app.LOG_LEVEL: differs from the source; --overwrite replaces it" in out
    )
    assert "config/common.yaml: app.SHARED: was removed since it was imported, and stays so" in out
    assert folder.run("import", "env", "--overwrite", *words) == 0
    changed = folder.read("config/services/payroll.yaml")
    assert changed.startswith("# ours\napp:\n  LOG_LEVEL: info ")
    assert changed.endswith("# quieter\n")
    assert folder.values("test", "payroll")["SHARED"] == "the same"


def test_a_contract_that_exists_keeps_its_keys_and_comments(folder: Folder) -> None:
    folder.write(
        "services/payroll/service.yaml",
        """
        # how payroll runs
        service: payroll
        config:
          SHARED: {choices: [the same, other], type: choice}  # two only
        """,
    )
    folder.run("import", "env", *files(folder))
    text = folder.read("services/payroll/service.yaml")
    assert text.startswith("# how payroll runs\nservice: payroll\nconfig:\n  SHARED: {choices")
    assert "# two only" in text
    assert "LOG_LEVEL: {required: true}" in text
    folder.assert_checks()


def test_an_environment_that_was_not_imported_gets_nothing(folder: Folder) -> None:
    file = folder.write("old/test.env", "A=1\n")
    assert folder.run("import", "env", f"test/invoicing={file}") == 0
    assert folder.values("prod", "invoicing") == {}
    assert folder.values("test", "invoicing") == {"A": "1"}
    folder.assert_checks()


def test_a_shared_value_is_not_given_to_a_service_that_stood_apart(folder: Folder) -> None:
    folder.write("services/front/service.yaml", "service: front\nconfig:\n  SHARED: {default: its own}\n")
    folder.run("import", "env", *files(folder))
    assert folder.values("test", "front") == {"SHARED": "its own"}
    assert folder.values("test", "payroll")["SHARED"] == "the same"


def test_the_name_of_a_file_tells_whose_it_is(folder: Folder) -> None:
    folder.write("services/invoicing/service.yaml", "service: invoicing\n")
    file = folder.write("old/invoicing.prod.env", "A=1\n")
    assert folder.run("import", "env", file) == 0
    assert folder.values("prod", "invoicing") == {"A": "1"}


def test_one_service_may_be_named_for_all_files(folder: Folder) -> None:
    one, two = folder.write("old/1", "A=1\n"), folder.write("old/2", "A=2\n")
    assert folder.run("import", "env", "--service", "invoicing", f"test={one}", f"prod={two}") == 0
    assert folder.values("prod", "invoicing") == {"A": "2"}


def test_names_that_are_no_keys_are_mapped_and_told(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder.write("old/x", "app.name=a\napp-name=b\nAPP_NAME=c\n_x=d\n")
    folder.run("import", "env", f"test/invoicing={file}")
    assert folder.values("test", "invoicing") == {
        "APP_NAME_2": "b",
        "APP_NAME_3": "a",
        "APP_NAME": "c",
        "X": "d",
    }
    assert "app.name: is APP_NAME_3 here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["old/x"], 2, "whose settings are these?"),
        (["nowhere/invoicing=old/x"], 4, "no environment is named nowhere"),
        (["test/Big=old/x"], 2, "a name is made of a-z"),
        (["test/invoicing=missing"], 2, "cannot read missing: No such file"),
        (["a/b/c=old/x"], 2, "not [ENV/]SERVICE=FILE"),
        (["test/invoicing=old/x", "test/invoicing=old/y"], 3, "speaks of invoicing in test, as old/x does"),
        (["test/invoicing=old/latin"], 2, "it is not UTF-8"),
        (["test/invoicing=old/broken"], 3, "old/broken:1: A: has a quote that is never closed"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    folder.write("old/x", "A=1\n")
    folder.write("old/y", "A=2\n")
    folder.write("old/latin", b"A=\xe9\n")
    folder.write("old/broken", 'A="x\n')
    monkeypatch.chdir(folder.root)
    before = folder.files()
    assert folder.run("import", "env", *words) == code
    assert said in capsys.readouterr().err
    assert folder.files() == before


def test_a_secret_without_anybody_to_encrypt_it_for_stops_the_import(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder.write("old/x", "A=1\nSMTP_PASSWORD=hunter2-Tr0ub4dor\n")
    before = folder.files()
    assert folder.run("import", "env", f"test/invoicing={file}") == 5
    out = capsys.readouterr()
    assert "ecluse secrets init" in out.err
    assert "hunter2" not in out.err + out.out
    assert folder.files() == before


def test_a_dry_run_tells_which_values_would_be_encrypted_and_why(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder.write("old/x", "A=1\nSMTP_PASSWORD=hunter2\nDB=mysql://app:hunter2@db/app\n")
    before = folder.files()
    assert folder.run("import", "env", "--dry-run", "--json", f"test/invoicing={file}") == 0
    out = capsys.readouterr().out
    told = {(line["fate"], line["where"]): line["what"] for line in json.loads(out)["report"]}
    layer = "config/environments/test/services/invoicing.sops.yaml"
    assert told["secret", f"{layer}: SMTP_PASSWORD"] == "because of its name"
    assert (
        told["secret", f"{layer}: DB"] == "because of its value looks like an address with a password in it"
    )
    assert "hunter2" not in out
    assert folder.files() == before
