"""Files of the real `sops` open here and ours open there: every type, format and selector, in both directions."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyrage
import pytest
from documents import SELECTORS, numbers_alike, plain
from real_sops import RealSops, find

from ecluse.errors import SecretUnavailable
from ecluse.secrets.sops.file import (
    Form,
    close_file,
    form_of,
    new_file,
    open_file,
    read_closed,
    read_plain,
    unlock,
    write_closed,
    write_plain,
)
from ecluse.secrets.sops.identities import find_identities
from ecluse.secrets.sops.tree import Branch
from ecluse.secrets.sops.walk import Selector
from ecluse.secrets.twins import TwinFiles

YAML = """\
# of the whole
text: s3cr3t
quoted: "010"
number: 010
long: -9223372036854775808
real: 1.50
exponent: 1e3
yes: true
no: false
nothing: null
empty: ""
day: 2024-02-29
moment: 2024-02-29T12:30:00.5+02:00
lines: |
    one
    two
deep_open:
    # keep this open
    open: a
    # seal this
    shut_shut: b
    list: [1, two, {three: 3.5, four: []}, [5, [six]]]
    none: {}
---
second: document
shut: of two
"""
JSON = json.dumps(
    {
        "text": "s3cr3t", "number": 9007199254740993, "real": 1.5, "yes": True, "nothing": None, "empty": "",
        "deep_open": {"open": "a", "shut_shut": "é\u2028\n", "list": [1, "two", {"three": 3.5}, []]},
    }
)  # fmt: skip
DOTENV = "# keep this open\nTEXT=s3cr3t\nopen=1\n# seal this\nB_shut=a=b # c\nLINES=one\\ntwo\nEMPTY=\n"
PLAIN: dict[Form, tuple[str, str]] = {
    "yaml": ("a.yaml", YAML), "json": ("a.json", JSON), "dotenv": ("a.env", DOTENV), "binary": ("a.bin", "s3cr3t\n\t€"),
}  # fmt: skip
CASES = [
    (form, kind)
    for form in PLAIN
    for kind in ("", *SELECTORS)
    if not ("comment" in kind and form in ("json", "binary")) and not (kind and form == "binary")
]


def opened(sops: RealSops, form: Form, text: str) -> list[Branch]:
    closed = read_closed(text, form)
    key = unlock(closed, sops.identities.keys)
    assert key is not None
    return open_file(closed, key).branches


def selector(kind: str) -> Selector | None:
    return Selector(kind, SELECTORS[kind]) if kind else None


@pytest.mark.parametrize("only", [False, True], ids=["whole-mac", "mac-only-encrypted"])
@pytest.mark.parametrize(("form", "kind"), CASES)
def test_what_sops_wrote_opens_here(sops: RealSops, form: Form, kind: str, only: bool) -> None:
    name, text = PLAIN[form]
    rule = {"age": sops.recipient, "mac_only_encrypted": only} | ({kind: SELECTORS[kind]} if kind else {})
    sops.write(".sops.yaml", json.dumps({"creation_rules": [rule]}))
    sops.write(name, text)
    written = sops.must("encrypt", name)
    expected = [numbers_alike(one) for one in read_plain(text, form)]
    assert [numbers_alike(one) for one in opened(sops, form, written)] == expected
    assert read_closed(written, form).metadata.mac_only_encrypted is (only and form != "binary")


@pytest.mark.parametrize("only", [False, True], ids=["whole-mac", "mac-only-encrypted"])
@pytest.mark.parametrize(("form", "kind"), CASES)
def test_what_we_wrote_opens_there(sops: RealSops, form: Form, kind: str, only: bool) -> None:
    name, text = PLAIN[form]
    file = new_file(
        form, read_plain(text, form), [sops.recipient], selector=selector(kind), mac_only_encrypted=only
    )
    sops.write(name, write_closed(close_file(file)))
    shown = sops.must("decrypt", name)
    assert [numbers_alike(one) for one in read_plain(shown, form)] == [
        numbers_alike(one) for one in read_plain(text, form)
    ]
    sops.must("rotate", "--in-place", name)
    again = opened(sops, form, sops.read(name))
    assert [numbers_alike(one) for one in again] == [numbers_alike(one) for one in read_plain(text, form)]


@pytest.mark.parametrize("form", ["yaml", "json", "dotenv"])
def test_a_value_that_sops_sets_in_our_file_changes_nothing_else(sops: RealSops, form: Form) -> None:
    name = {"yaml": "a.yaml", "json": "a.json", "dotenv": "a.env"}[form]
    text = {"yaml": "A: b\nC: d\n", "json": '{"A": "b", "C": "d"}', "dotenv": "A=b\nC=d\n"}[form]
    sops.write(name, write_closed(close_file(new_file(form, read_plain(text, form), [sops.recipient]))))
    before = read_closed(sops.read(name), form).branches[0]
    sops.must("set", name, '["C"]', '"new"')
    after = read_closed(sops.read(name), form).branches[0]
    assert plain(before.find("A").value) == plain(after.find("A").value)  # type: ignore[union-attr]
    assert plain(opened(sops, form, sops.read(name))[0]) == {"A": ("str", "b"), "C": ("str", "new")}


def test_every_recipient_opens_it_on_both_sides(sops: RealSops) -> None:
    other = RealSops(sops.program, sops.folder, pyrage.x25519.Identity.generate())
    file = new_file("yaml", read_plain("a: s3cr3t\n", "yaml"), [sops.recipient, other.recipient])
    sops.write("ours.yaml", write_closed(close_file(file)))
    sops.write("plain.yaml", "a: s3cr3t\n")
    sops.write(
        "theirs.yaml", sops.must("encrypt", "--age", f"{sops.recipient},{other.recipient}", "plain.yaml")
    )
    for person in (sops, other):
        for name in ("ours.yaml", "theirs.yaml"):
            assert person.must("decrypt", name) == "a: s3cr3t\n"
            assert plain(opened(person, "yaml", sops.read(name))[0]) == {"a": ("str", "s3cr3t")}


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_are_recipients_and_identities_on_both_sides(sops: RealSops, kind: str) -> None:
    key = sops.folder / ".ssh" / f"id_{kind}"
    key.parent.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key)], check=True)
    recipient = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    environ = {"HOME": str(sops.folder), "PATH": os.environ["PATH"]}
    found = find_identities(environ)
    file = new_file("yaml", read_plain("a: s3cr3t\n", "yaml"), [recipient])
    sops.write("ours.yaml", write_closed(close_file(file)))
    sops.write("plain.yaml", "a: s3cr3t\n")
    sops.write("theirs.yaml", sops.must("encrypt", "--age", recipient, "plain.yaml"))
    for name in ("ours.yaml", "theirs.yaml"):
        done = subprocess.run(
            [sops.program, "decrypt", name],
            cwd=sops.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == "a: s3cr3t\n", done.stderr
        closed = read_closed(sops.read(name), "yaml")
        assert unlock(closed, found.keys) is not None


def test_identities_are_found_where_sops_finds_them(sops: RealSops, tmp_path: Path) -> None:
    sops.write("plain.yaml", "a: s3cr3t\n")
    closed = read_closed(sops.must("encrypt", "--age", sops.recipient, "plain.yaml"), "yaml")
    text = f"# a comment\n{sops.key}\n"
    file = tmp_path / "keys"
    file.write_text(text)
    home = tmp_path / "home"
    (home / ".config/sops/age").mkdir(parents=True)
    xdg = tmp_path / "xdg"
    (xdg / "sops/age").mkdir(parents=True)
    (xdg / "sops/age/keys.txt").write_text(text)
    nowhere = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for environ in (
        {"SOPS_AGE_KEY": str(sops.key)},
        {"SOPS_AGE_KEY_FILE": str(file)},
        {"SOPS_AGE_KEY_CMD": f"cat '{file}'"},
        {"XDG_CONFIG_HOME": str(xdg)},
    ):
        assert unlock(closed, find_identities(nowhere | environ).keys) is not None, environ
    assert unlock(closed, find_identities(nowhere).keys) is None
    (home / ".config/sops/age/keys.txt").write_text(text)
    assert unlock(closed, find_identities({"HOME": str(home)}).keys) is not None


def test_a_place_that_gives_no_key_is_a_complaint_without_its_text(tmp_path: Path) -> None:
    found = find_identities(
        {
            "HOME": str(tmp_path),
            "SOPS_AGE_KEY": "s3cr3t",
            "SOPS_AGE_KEY_FILE": "/none",
            "SOPS_AGE_KEY_CMD": "false",
        }
    )
    assert found.keys == ()
    assert len(found.complaints) == 3
    assert "s3cr3t" not in str(found)


def files(sops: RealSops, environ: dict[str, str]) -> TwinFiles:
    return TwinFiles(sops.folder, None, environ)


@pytest.fixture
def pgp(sops: RealSops) -> tuple[str, dict[str, str]]:
    """A PGP key without a passphrase, and the environment that has it."""
    if not Path("/usr/bin/gpg").exists():
        pytest.skip("no gpg")
    home = sops.folder / "gnupg"
    home.mkdir(mode=0o700)
    environ = {"GNUPGHOME": str(home), "HOME": str(sops.folder), "PATH": sops.environ["PATH"]}
    subprocess.run(
        ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "a@example.fr", "default", "default"],
        env=environ, check=True, capture_output=True,
    )  # fmt: skip
    listed = subprocess.run(
        ["gpg", "--list-keys", "--with-colons"], env=environ, capture_output=True, text=True
    )
    fingerprint = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
    return fingerprint, environ


def test_pgp_goes_through_the_program(sops: RealSops, pgp: tuple[str, dict[str, str]]) -> None:
    fingerprint, environ = pgp
    sops.write(".sops.yaml", f"creation_rules: [{{pgp: {fingerprint}}}]\n")
    twins = files(sops, environ)
    name = "config/common.sops.yaml"
    twins.change(name, {("app", "A"): "s3cr3t", ("app", "B"): "x"})
    assert "s3cr3t" not in sops.read(name)
    assert twins.closed(name).metadata.recipients == (f"pgp {fingerprint}",)
    twins.change(name, {("app", "A"): "changed", ("app", "B"): None})
    assert plain(twins.read(name).branches[0]) == {"app": {"A": ("str", "changed")}}
    without = TwinFiles(sops.folder, None, environ | {"PATH": "/nonexistent"})
    with pytest.raises(SecretUnavailable, match="needs the sops program"):
        without.read(name)
    stranger = TwinFiles(sops.folder, None, environ | {"GNUPGHOME": str(sops.folder / "other")})
    with pytest.raises(SecretUnavailable, match="no key here opens"):
        stranger.read(name)


def test_shamir_groups_go_through_the_program(sops: RealSops) -> None:
    other = pyrage.x25519.Identity.generate()
    groups = [{"age": [sops.recipient]}, {"age": [str(other.to_public())]}]
    rule = {"key_groups": groups, "shamir_threshold": 2}
    sops.write(".sops.yaml", json.dumps({"creation_rules": [rule]}))
    environ = sops.environ | {"SOPS_AGE_KEY": f"{sops.key} {other}"}
    twins = files(sops, environ)
    name = "config/common.sops.yaml"
    twins.change(name, {("app", "A"): "s3cr3t"})
    assert twins.closed(name).metadata.threshold == 2
    twins.change(name, {("app", "A"): "changed"})
    assert plain(twins.read(name).branches[0]) == {"app": {"A": ("str", "changed")}}
    with pytest.raises(SecretUnavailable):
        files(sops, sops.environ).read(name)


def test_a_file_with_age_and_pgp_is_ours_and_keeps_its_pgp_key(
    sops: RealSops, pgp: tuple[str, dict[str, str]]
) -> None:
    fingerprint, environ = pgp
    name = "config/common.sops.yaml"
    (sops.folder / "config").mkdir()
    sops.write("plain.yaml", "app:\n    A: s3cr3t\n")
    done = subprocess.run(
        [sops.program, "encrypt", "--age", sops.recipient, "--pgp", fingerprint, "plain.yaml"],
        env=environ, cwd=sops.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    sops.write(name, done.stdout)
    without = TwinFiles(sops.folder, sops.identities, {"PATH": "/nonexistent"})
    without.change(name, {("app", "A"): "changed"})
    shown = subprocess.run(
        [sops.program, "decrypt", name],
        env=environ,
        cwd=sops.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "app:\n    A: changed\n"


def test_the_age_program_opens_the_data_key(sops: RealSops) -> None:
    program = find("age")
    if program is None:
        pytest.skip("no age: `make peers` builds it where Go and its modules can be had")
    file = new_file("yaml", read_plain("a: b\n", "yaml"), [sops.recipient])
    sops.write("enc", file.metadata.groups[0].age[0].enc)
    sops.write("key", f"{sops.key}\n")
    done = subprocess.run(
        [program, "--decrypt", "-i", "key", "enc"],
        cwd=sops.folder,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == file.key


def test_a_comment_in_a_list_opens_there(sops: RealSops) -> None:
    """The other way round sops 3.13 makes a value of it, and refuses its own file."""
    text = "list:\n    # about x\n    - x\n    - z # about z\n"
    sops.write(
        "a.yaml", write_closed(close_file(new_file("yaml", read_plain(text, "yaml"), [sops.recipient])))
    )
    assert "# about x" in sops.must("decrypt", "a.yaml")


def test_the_plain_text_of_the_editor_is_what_sops_shows(sops: RealSops) -> None:
    """Comments and the order of keys stay through both."""
    text = "# head\nb: 1\n# above a\na: two words\nmap:\n    # inside\n    x: w\n    # last of map\nz: end\n# tail\n"
    file = new_file("yaml", read_plain(text, "yaml"), [sops.recipient])
    sops.write("a.yaml", write_closed(close_file(file)))
    assert sops.must("decrypt", "a.yaml") == text
    assert write_plain(opened(sops, "yaml", sops.read("a.yaml")), form_of("a.yaml")) == text
