"""Writing encrypted files: under their rules, with what is unchanged left as it was."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from ecluse.errors import ConfigInvalid, NotFound, Refused, SecretUnavailable
from ecluse.model.secret import Secret
from ecluse.secrets.sops.identities import Identities
from ecluse.secrets.twins import TwinFiles
from ecluse.wiring.secrets import TwinLayers, seal_values

KEY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
LAYER = "config/environments/test/common.yaml"
TWIN = "config/environments/test/common.sops.yaml"
PASSWORD = ("app", "SMTP_PASSWORD")


def files(root: Path, *keys: object) -> TwinFiles:
    return TwinFiles(root, Identities(keys or (KEY,)), {})


@pytest.fixture
def twins(tmp_path: Path) -> TwinFiles:
    rules(tmp_path, f"- path_regex: ^config/environments/test/\n  age: {KEY.to_public()}\n")
    return files(tmp_path)


def rules(root: Path, text: str) -> None:
    (root / ".sops.yaml").write_text("creation_rules:\n" + text)


def value(twins: TwinFiles, file: str = TWIN, *path: str) -> object:
    branch = twins.read(file).branches[0]
    for part in path[:-1]:
        branch = branch.find(part).value  # type: ignore[union-attr,assignment]
    found = branch.find(path[-1])
    return found.value if found else None


def lines(root: Path, file: str = TWIN) -> list[str]:
    return (root / file).read_text().splitlines()


def test_a_twin_is_made_under_its_rule_and_holds_no_plain_text(twins: TwinFiles, tmp_path: Path) -> None:
    assert seal_values(twins, LAYER, {PASSWORD: "s3cr3t", ("app", "A"): "b"}) == TWIN
    assert value(twins, TWIN, "app", "SMTP_PASSWORD") == "s3cr3t"
    assert "s3cr3t" not in (tmp_path / TWIN).read_text()
    assert twins.closed(TWIN).metadata.recipients == (str(KEY.to_public()),)


def test_the_rule_of_a_path_is_the_first_that_matches(tmp_path: Path) -> None:
    rules(
        tmp_path,
        f"- path_regex: prod/\n  age: [{OTHER.to_public()}]\n"
        f"- path_regex: \\.sops\\.yaml$\n  age: '{KEY.to_public()}, {OTHER.to_public()}'\n"
        "  encrypted_regex: PASSWORD\n",
    )
    twins = files(tmp_path)
    seal_values(twins, LAYER, {PASSWORD: "s3cr3t", ("app", "HOST"): "relay"})
    seal_values(twins, "config/environments/prod/common.yaml", {PASSWORD: "s3cr3t"})
    assert twins.closed(TWIN).metadata.recipients == (str(KEY.to_public()), str(OTHER.to_public()))
    assert "    HOST: relay" in lines(tmp_path)
    prod = twins.closed("config/environments/prod/common.sops.yaml")
    assert prod.metadata.recipients == (str(OTHER.to_public()),)


def test_without_a_rule_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no rule of .sops.yaml says who may read"):
        seal_values(files(tmp_path), LAYER, {PASSWORD: "s3cr3t"})
    assert list(tmp_path.iterdir()) == []


def test_only_the_line_of_what_changes_changes_and_the_seal_of_the_file(
    twins: TwinFiles, tmp_path: Path
) -> None:
    seal_values(twins, LAYER, {PASSWORD: "s3cr3t", ("app", "A"): "b", ("app", "C"): "d"})
    before = lines(tmp_path)
    seal_values(files(tmp_path), LAYER, {("app", "A"): "changed"})
    changed = [new for old, new in zip(before, lines(tmp_path), strict=True) if old != new]
    assert [line.strip().split(":")[0] for line in changed if "lastmodified" not in line] == ["A", "mac"]


def test_what_is_already_so_is_not_written(twins: TwinFiles, tmp_path: Path) -> None:
    seal_values(twins, LAYER, {PASSWORD: "s3cr3t"})
    before = (tmp_path / TWIN).read_bytes()
    assert twins.change(TWIN, {PASSWORD: "s3cr3t"}) is False
    assert (tmp_path / TWIN).read_bytes() == before


def test_the_twin_that_is_there_is_used_whatever_its_form(twins: TwinFiles, tmp_path: Path) -> None:
    twins.change("config/environments/test/common.sops.env", {PASSWORD: "s3cr3t"})
    assert seal_values(twins, LAYER, {("app", "A"): "b"}).endswith(".sops.env")
    assert value(twins, "config/environments/test/common.sops.env", "A") == "b"


def test_none_removes_a_key_and_the_maps_that_it_leaves_empty(twins: TwinFiles) -> None:
    inner = ("services", "invoicing", "app", "KEY")
    seal_values(twins, LAYER, {PASSWORD: "s3cr3t", inner: "x"})
    seal_values(twins, LAYER, {inner: None})
    assert twins.names(TWIN) == [PASSWORD]


def test_who_has_no_key_is_told_who_has_one_and_changes_nothing(twins: TwinFiles, tmp_path: Path) -> None:
    seal_values(twins, LAYER, {PASSWORD: "s3cr3t"})
    before = (tmp_path / TWIN).read_bytes()
    stranger = files(tmp_path, OTHER)
    with pytest.raises(SecretUnavailable) as caught:
        seal_values(stranger, LAYER, {PASSWORD: "mine"})
    assert caught.value.hint == f"it can be read by {KEY.to_public()}"
    assert (tmp_path / TWIN).read_bytes() == before
    assert stranger.names(TWIN) == [PASSWORD]


def test_a_plain_file_in_the_place_of_a_twin_is_an_error(twins: TwinFiles, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/common.sops.yaml").write_text("app: {A: s3cr3t}\n")
    with pytest.raises(ConfigInvalid, match="is not encrypted: it has no metadata of SOPS"):
        twins.read("config/common.sops.yaml")


def test_importers_write_by_layer_and_key(twins: TwinFiles, tmp_path: Path) -> None:
    layers = TwinLayers(twins)
    assert (layers.known(LAYER), list(layers.names(LAYER))) == ({}, [])
    layers.require([LAYER])
    layers.give(LAYER, {"A": Secret("b")})
    assert layers.known(LAYER) == {"A": Secret("b")}
    assert TwinLayers(files(tmp_path, OTHER)).known(LAYER) is None
    assert list(TwinLayers(files(tmp_path, OTHER)).names(LAYER)) == ["A"]
    with pytest.raises(Refused):
        layers.require(["config/common.yaml"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- age: {a: b}\n", "age is neither a text nor a list of texts"),
        ("- path_regex: '(?=a)'\n  age: x\n", "path_regex is no pattern: (?=a)"),
        (
            "- encrypted_regex: a\n  encrypted_suffix: b\n",
            "a rule has both encrypted_suffix and encrypted_regex",
        ),
        ("- a\n", "creation_rules is no list of maps"),
        ("- [\n", "is not YAML"),
    ],
)
def test_rules_that_cannot_be_used_say_why(tmp_path: Path, text: str, message: str) -> None:
    rules(tmp_path, text)
    with pytest.raises(ConfigInvalid) as caught:
        seal_values(files(tmp_path), LAYER, {PASSWORD: "s3cr3t"})
    assert message in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_make_it(twins: TwinFiles) -> None:
    with pytest.raises(NotFound, match="there is no file config/common.sops.yaml"):
        twins.read("config/common.sops.yaml")
