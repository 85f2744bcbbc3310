from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ecluse.errors import ConfigInvalid, SecretUnavailable, UsageError
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed, Secret
from ecluse.secrets.provided import ProvidedSecrets, read_secrets_file
from ecluse.secrets.vault import open_vault

TEST, API = EnvironmentName("test"), ServiceName("api")


def test_a_sealed_text_comes_back_in_another_process(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, create=True)
    sealed = vault.seal("s3cret")
    vault.keep()
    assert open_vault(tmp_path, create=False).reveal(sealed) == "s3cret"


def test_nothing_is_written_before_it_is_kept(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "state", create=False)
    vault.seal("s3cret")
    assert not (tmp_path / "state").exists()


def test_the_files_of_the_vault_are_private_and_hold_no_plain_text(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "state", create=True)
    vault.seal("s3cret-canary")
    vault.keep()
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"s3cret-canary" not in path.read_bytes()


def test_equal_texts_have_equal_fingerprints_within_one_state_only(tmp_path: Path) -> None:
    one, two = (open_vault(tmp_path / name, create=True) for name in ("a", "b"))
    assert one.seal("x") == one.seal("x")
    assert one.seal("x") != one.seal("y")
    assert one.seal("x") != two.seal("x")


def test_derived_credentials_are_stable_and_differ_by_purpose(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, create=True)
    assert vault.derive("test/db/api/1") == open_vault(tmp_path, create=False).derive("test/db/api/1")
    assert vault.derive("test/db/api/1") != vault.derive("test/db/web/1")
    assert vault.derive("a").isalnum()
    assert len(vault.derive("a")) == 32


def test_a_damaged_or_missing_text_is_an_error_without_a_value(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, create=True)
    sealed = vault.seal("s3cret")
    vault.keep()
    path = tmp_path / "vault" / sealed.fingerprint
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(SecretUnavailable):
        open_vault(tmp_path, create=False).reveal(sealed)
    with pytest.raises(SecretUnavailable):
        vault.reveal(Sealed("0" * 32))


def private(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "secrets.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_secrets_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = private(tmp_path, "KEY: value\n")
    path.chmod(0o644)
    with pytest.raises(UsageError) as caught:
        read_secrets_file(path)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "text", ["- a\n", "KEY: {a: canary}\n", "KEY: canary\nKEY: canary\n", "KEY: 'canary\n"]
)
def test_a_wrong_secrets_file_is_an_error_that_tells_no_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_secrets_file(private(tmp_path, text))
    assert "canary" not in str(caught.value)


def test_the_most_specific_name_wins_then_variables_then_what_was_kept(tmp_path: Path) -> None:
    file = read_secrets_file(private(tmp_path, "KEY: general\napi/KEY: mine\nprod/api/KEY: prod\n"))
    source = ProvidedSecrets(
        file=file,
        file_name="secrets.yaml",
        variables={"ECLUSE_SECRET_OTHER": "by variable", "ECLUSE_SECRET_API__OTHER": "for api"},
        kept={(TEST, API, "OLD"): Sealed("old")},
    )

    def value(environment: str, key: str) -> object:
        found = source.lookup(EnvironmentName(environment), API, key)
        return found[0] if found else None

    assert value("test", "KEY") == Secret("mine")
    assert value("prod", "KEY") == Secret("prod")
    assert value("test", "OTHER") == Secret("for api")
    assert value("test", "OLD") == Sealed("old")
    assert value("prod", "OLD") is None
