"""`ecluse secrets`, as people with and without keys use it. No value of theirs is ever shown unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pyrage
import pytest
import yaml
from people import CANARY, Person, founder

TEST = "config/environments/test/common.sops.yaml"
PROD = "config/environments/prod/services/orders.sops.yaml"


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[Person]:
    person = founder(tmp_path)
    yield person
    person.says_nothing()


@pytest.fixture
def holder(alice: Person) -> Person:
    """Alice with everything set up."""
    alice.must("secrets", "init")
    return alice


def other_key() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def set_secret(person: Person, key: str, value: str = CANARY, *scope: str) -> str:
    return person.must("secrets", "set", key, *scope, given=value + "\n")


def values(person: Person, *scope: str) -> dict[str, str]:
    """What is sealed there, read without leaving a trace in what was said."""
    said = list(person.said)
    shown = person.run("secrets", "show", "--values", "--yes", "--json", *scope)
    person.said[:] = said
    assert shown.returncode == 0, shown.stderr
    return yaml.safe_load(shown.stdout)["values"]


def test_init_makes_rules_for_each_environment_and_may_run_again(alice: Person) -> None:
    assert alice.recipient in alice.must("secrets", "init")
    rules = yaml.safe_load(alice.read(".sops.yaml"))["creation_rules"]
    assert [rule["path_regex"] for rule in rules] == [
        "^config/environments/test/", "^config/environments/prod/", "^config/",
    ]  # fmt: skip
    assert all(rule["age"] == [alice.recipient] for rule in rules)
    assert yaml.safe_load(alice.read("ecluse.yaml"))["secrets"] == {"holders": {"alice": alice.recipient}}
    assert "config/**/*.sops.yaml merge=ecluse-secrets" in alice.read(".gitattributes")
    before = {name: alice.read(name) for name in (".sops.yaml", "ecluse.yaml", ".gitattributes")}
    assert "everything is there" in alice.must("secrets", "init")
    assert {name: alice.read(name) for name in before} == before


def test_init_in_the_clone_of_a_newcomer_gives_him_nothing(holder: Person) -> None:
    holder.commit("Secrets")
    bob = holder.clone("bob", other_key())
    assert "git of this clone" in bob.must("secrets", "init")
    assert bob.git("status", "--porcelain") == ""


def test_init_makes_a_key_for_who_has_none(alice: Person) -> None:
    alice.key = None
    alice.must("secrets", "init")
    path = alice.home / ".config/sops/age/keys.txt"
    assert path.stat().st_mode & 0o777 == 0o600
    set_secret(alice, "SMTP_PASSWORD", CANARY, "--env", "test")
    assert values(alice, "--env", "test") == {"app.SMTP_PASSWORD": CANARY}


def test_a_value_is_set_shown_by_name_and_removed(holder: Person) -> None:
    said = set_secret(holder, "SMTP_PASSWORD", CANARY, "--env", "prod", "--service", "orders")
    assert said == f"{PROD}: SMTP_PASSWORD is sealed\n"
    assert "says so already" in set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "prod", "-s", "orders")
    shown = holder.must("secrets", "show", "-e", "prod", "-s", "orders")
    assert shown == f"app.SMTP_PASSWORD\n{PROD} can be read by alice ({holder.recipient})\n"
    assert "asks" not in shown
    holder.refused("secrets", "show", "--values", "-e", "prod", "-s", "orders", code=5)
    assert values(holder, "-e", "prod", "-s", "orders") == {"app.SMTP_PASSWORD": CANARY}
    assert "did you mean SMTP_PASSWORD?" in holder.refused(
        "secrets", "unset", "SMTP_PASSWORT", "-e", "prod", "-s", "orders", code=4
    )
    holder.must("secrets", "unset", "SMTP_PASSWORD", "-e", "prod", "-s", "orders")
    assert holder.must("secrets", "show", "-e", "prod", "-s", "orders").startswith(PROD)


def test_a_key_that_the_service_does_not_declare_is_refused_and_one_in_a_file_can_be_removed(
    holder: Person,
) -> None:
    scope = ("--env", "prod", "--service", "orders")
    set_secret(holder, "SMTP_PASSWORD", CANARY, *scope)
    for command in ("set", "propose"):
        said = holder.refused("secrets", command, "SMTP_PASWORD", *scope, given=CANARY, code=4)
        assert "did you mean SMTP_PASSWORD?" in said
    contract = holder.root / "services/orders/service.yaml"
    text = contract.read_text()
    contract.write_text(text.replace("SMTP_PASSWORD", "MAIL_PASSWORD"))
    assert "app.SMTP_PASSWORD" in holder.refused("check", code=3)
    assert "app.SMTP_PASSWORD" in holder.must("secrets", "show", *scope)
    holder.must("secrets", "unset", "SMTP_PASSWORD", *scope)
    contract.write_text(text)
    assert values(holder, *scope) == {}


def test_a_value_is_never_an_argument(holder: Person) -> None:
    error = holder.refused("secrets", "set", "SMTP_PASSWORD=x", "-e", "test", code=2)
    assert "a value is never an argument" in error
    holder.refused("secrets", "set", "SMTP_PASSWORD", "x", "-e", "test", code=2)
    assert "no value for API_KEY" in holder.refused("secrets", "set", "API_KEY", "-e", "test", code=2)


def test_a_whole_life_passes_the_check_of_the_product(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    set_secret(holder, "API_KEY", "another-" + CANARY, "-e", "prod", "-s", "orders")
    assert "no problem" in holder.must("check")
    holder.key = None
    assert "no problem" in holder.must("check")


def test_who_cannot_read_is_told_who_can(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    holder.commit("A secret")
    bob = holder.clone("bob", other_key())
    for words in (
        ["secrets", "set", "API_KEY", "-e", "test"],
        ["secrets", "show", "--values", "-y", "-e", "test"],
    ):
        assert f"it can be read by {holder.recipient}" in bob.refused(*words, code=7, given="x\n")
    assert "app.SMTP_PASSWORD" in bob.must("secrets", "show", "-e", "test")
    bob.says_nothing()


def editor(folder: Path, script: str) -> str:
    path = folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_editor_changes_one_line_and_leaves_no_plain_text(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    set_secret(holder, "API_KEY", "old", "-e", "test")
    before = holder.read(TEST).splitlines()
    said = holder.must(
        "secrets",
        "edit",
        "-e",
        "test",
        EDITOR=editor(holder.home, 'stat -c %a "$1"; sed -i \'s/old/new/\' "$1"'),
    )
    assert said == f"600\n{TEST}: app.API_KEY is changed\n"
    changed = [new for old, new in zip(before, holder.read(TEST).splitlines(), strict=True) if old != new]
    assert {line.strip().split(":")[0] for line in changed} <= {"API_KEY", "mac", "lastmodified"}
    assert values(holder, "-e", "test") == {"app.SMTP_PASSWORD": CANARY, "app.API_KEY": "new"}
    assert list((holder.home / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        (': > "$1"', 5, "nothing was changed: the editor left no value"),
        ('echo "app: {}" > "$1"', 5, "nothing was changed: the editor left no value"),
        (f'echo "app: [{CANARY}" > "$1"', 5, "nothing was changed: what the editor left is not YAML (line"),
        (
            f'echo "sops: {{a: {CANARY}}}" > "$1"',
            5,
            "nothing was changed: what the editor left has a key sops",
        ),
        ("exit 3", 1, "ended with 3: nothing was changed"),
    ],
)
def test_an_editor_that_leaves_nothing_good_changes_nothing(
    holder: Person, script: str, code: int, message: str
) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    before = holder.read(TEST)
    error = holder.refused("secrets", "edit", "-e", "test", code=code, EDITOR=editor(holder.home, script))
    assert message in error
    assert holder.read(TEST) == before
    assert list((holder.home / "run").iterdir()) == []


def test_an_editor_that_leaves_all_as_it_was_changes_no_byte(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    before = holder.read(TEST)
    assert "no value changed" in holder.must("secrets", "edit", "-e", "test", EDITOR="true")
    assert holder.read(TEST) == before


def test_the_editor_makes_a_file_with_its_comments(holder: Person) -> None:
    script = editor(holder.home, f'printf "# of the relay\\napp:\\n    SMTP_PASSWORD: {CANARY}\\n" > "$1"')
    holder.must("secrets", "edit", "-e", "test", EDITOR=script)
    assert "relay" not in holder.read(TEST)
    assert values(holder, "-e", "test") == {"app.SMTP_PASSWORD": CANARY}
    assert "app.API_KEY is new" in holder.must(
        "secrets",
        "edit",
        "-e",
        "test",
        EDITOR=editor(holder.home, 'grep -q "^# of the relay" "$1" && echo "    API_KEY: k" >> "$1"'),
    )


def eventually(claim: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def begin_edit(person: Person) -> subprocess.Popen[str]:
    """An editor that stays open; comes back when the plain text is there."""
    script = editor(person.home, f'touch "{person.home}/open"; exec sleep 60')
    process = subprocess.Popen(
        person.command("secrets", "edit", "-e", "test"), env=person.environ(EDITOR=script), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    eventually((person.home / "open").exists)
    assert plain_files(person)
    return process


def plain_files(person: Person) -> list[Path]:
    return [
        path for path in (person.home / "run").rglob("*.sops.yaml") if CANARY.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_the_plain_text_goes_when_the_editing_is_killed(holder: Person, number: int) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    before = holder.read(TEST)
    process = begin_edit(holder)
    os.kill(process.pid, number)
    process.wait(60)
    eventually(lambda: list((holder.home / "run").iterdir()) == [])
    # the editor of a command that is gone stays, and holds its output open
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    holder.said += list(process.communicate())
    assert "Traceback" not in holder.said[-1]
    assert holder.read(TEST) == before


def test_what_a_killed_guardian_leaves_is_swept_at_the_next_start(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    process = begin_edit(holder)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    assert plain_files(holder)
    holder.must("secrets", "show", "-e", "test")
    assert list((holder.home / "run").iterdir()) == []


def test_a_reader_of_test_does_not_read_prod(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    set_secret(holder, "SMTP_PASSWORD", "prod-" + CANARY, "-e", "prod", "-s", "orders")
    bob_key = other_key()
    said = holder.must(
        "secrets", "recipients", "add", str(bob_key.to_public()), "-e", "test", "--name", "bob"
    )
    assert f"{TEST}: can be read by bob" in said
    holder.commit("Bob")
    bob = holder.clone("bob", bob_key)
    assert values(bob, "-e", "test") == {"app.SMTP_PASSWORD": CANARY}
    bob.refused("secrets", "show", "--values", "-y", "-e", "prod", "-s", "orders", code=7)
    set_secret(bob, "API_KEY", CANARY, "-e", "test", "-s", "stock")
    bob.refused("secrets", "show", "--values", "-y", code=4)
    assert "# bob" in holder.read(".sops.yaml")
    assert "bob" not in yaml.safe_dump(yaml.safe_load(holder.read(".sops.yaml"))["creation_rules"][1])


def test_one_rule_for_all_is_split_before_one_environment_changes(holder: Person) -> None:
    (holder.root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {holder.recipient}\n")
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "prod", "-s", "orders")
    bob = str(other_key().to_public())
    holder.must("secrets", "recipients", "add", bob, "-e", "test")
    rules = yaml.safe_load(holder.read(".sops.yaml"))["creation_rules"]
    assert rules == [
        {"path_regex": "^config/environments/test/", "age": [holder.recipient, bob]},
        {"age": holder.recipient},
    ]
    assert bob not in holder.read(PROD)


def test_who_leaves_reads_nothing_more_and_what_he_read_is_listed(holder: Person) -> None:
    bob_key = other_key()
    bob_name = str(bob_key.to_public())
    holder.must("secrets", "recipients", "add", bob_name, "-e", "test")
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    set_secret(holder, "API_KEY", CANARY, "-e", "test", "-s", "stock")
    said = holder.must("secrets", "recipients", "remove", bob_name, "-e", "test")
    assert f"{TEST}: app.SMTP_PASSWORD\n" in said
    assert "config/environments/test/services/stock.sops.yaml: app.API_KEY\n" in said
    holder.commit("Bob leaves")
    bob = holder.clone("bob", bob_key)
    bob.refused("secrets", "show", "--values", "-y", "-e", "test", code=7)
    assert bob_name not in holder.read(".sops.yaml")
    assert "nobody could read" in holder.refused(
        "secrets", "recipients", "remove", holder.recipient, "-e", "test", code=5
    )
    assert values(holder, "-e", "test") == {"app.SMTP_PASSWORD": CANARY}


def test_a_recipient_must_be_one(holder: Person) -> None:
    for word in ("age1nonsense", "AGE-SECRET-KEY-1QQQ", "ssh-rsa nothing"):
        holder.refused("secrets", "recipients", "add", word, "-e", "test", code=2)


def test_recipients_are_listed_by_environment(holder: Person) -> None:
    said = holder.must("secrets", "recipients", "list")
    assert [line.split()[0] for line in said.splitlines()] == ["ENVIRONMENT", "test", "prod", "(shared)"]
    assert said.count(f"alice ({holder.recipient})") == 3


def test_rotating_changes_every_ciphertext_and_no_value(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    before = yaml.safe_load(holder.read(TEST))
    holder.refused("secrets", "rotate", code=2)
    holder.must("secrets", "rotate", "-e", "test")
    after = yaml.safe_load(holder.read(TEST))
    assert before["app"] != after["app"]
    assert before["sops"]["age"] != after["sops"]["age"]
    assert values(holder, "-e", "test") == {"app.SMTP_PASSWORD": CANARY}


def test_verify_finds_what_was_tampered_with_and_who_reads_too_much(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "test")
    set_secret(holder, "SMTP_PASSWORD", CANARY, "-e", "prod", "-s", "orders")
    assert holder.must("secrets", "verify").count("verified") == 2
    (holder.root / PROD).write_text(holder.read(PROD).replace("data:", "data:AAAA", 1))
    assert "SMTP_PASSWORD does not open with the key of this file" in holder.refused(
        "secrets", "verify", code=3
    )
    rules = holder.read(".sops.yaml")
    (holder.root / ".sops.yaml").write_text(rules.replace(holder.recipient, str(other_key().to_public())))
    assert "whom its rule does not name" in holder.refused("secrets", "verify", code=3)


def test_a_value_is_proposed_by_who_cannot_read_and_accepted_by_who_can(holder: Person) -> None:
    set_secret(holder, "SMTP_PASSWORD", "old", "-e", "prod", "-s", "orders")
    holder.commit("A secret")
    bob = holder.clone("bob", None)
    said = bob.must("secrets", "propose", "SMTP_PASSWORD", "-e", "prod", "-s", "orders", given=CANARY)
    name = "environments-prod-services-orders-SMTP_PASSWORD"
    assert f"proposals/{name}.sops.yaml: commit it" in said
    bob.says_nothing()
    bob.refused("secrets", "accept", name, "--yes", code=7)
    bob.commit("A proposal")
    holder.git("pull", "--quiet", str(bob.root), "main")
    listed = holder.must("secrets", "accept")
    assert name in listed
    assert "bob" in listed
    assert "nobody is here to say yes" in holder.refused("secrets", "accept", name, code=5).lower()
    said = holder.must("secrets", "accept", name, "--yes")
    assert "warning: app.SMTP_PASSWORD is there already and would be replaced" in said
    assert values(holder, "-e", "prod", "-s", "orders") == {"app.SMTP_PASSWORD": CANARY}
    assert not (holder.root / "proposals" / f"{name}.sops.yaml").exists()


def test_a_proposal_for_another_file_than_a_secret_one_is_refused(holder: Person) -> None:
    holder.must("secrets", "propose", "API_KEY", "-e", "prod", given=CANARY)
    (path,) = (holder.root / "proposals").iterdir()
    path.write_text(path.read_text().replace("for: config/environments", "for: ../config/environments"))
    assert "is for no encrypted file" in holder.refused(
        "secrets", "accept", path.name.split(".")[0], "-y", code=3
    )


def branches(holder: Person, ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    """Two branches from one file, each with its own changes."""
    set_secret(holder, "SMTP_PASSWORD", "base", "-e", "test")
    holder.commit("Base")
    holder.git("checkout", "--quiet", "-b", "other")
    for key, value in theirs:
        set_secret(holder, key, value, "-e", "test")
    holder.commit("Theirs")
    holder.git("checkout", "--quiet", "main")
    for key, value in ours:
        set_secret(holder, key, value, "-e", "test")
    holder.commit("Ours")


def test_branches_that_change_different_keys_merge(holder: Person) -> None:
    branches(holder, [("SMTP_PASSWORD", CANARY)], [("API_KEY", "theirs-" + CANARY)])
    holder.git("merge", "--quiet", "--no-edit", "other")
    assert values(holder, "-e", "test") == {"app.SMTP_PASSWORD": CANARY, "app.API_KEY": "theirs-" + CANARY}
    assert "verified" in holder.must("secrets", "verify")


def test_branches_that_change_one_key_conflict_and_the_key_is_named(holder: Person) -> None:
    branches(holder, [("SMTP_PASSWORD", CANARY)], [("SMTP_PASSWORD", "theirs-" + CANARY)])
    said = holder.git("merge", "--no-edit", "other", code=1)
    assert "both sides changed app.SMTP_PASSWORD" in said
    assert "<<<<<<< " in holder.read(TEST)


def test_a_merge_without_a_key_says_so_and_leaves_both_sides(holder: Person) -> None:
    branches(holder, [("SMTP_PASSWORD", CANARY)], [("API_KEY", CANARY)])
    key, holder.key = holder.key, None
    said = holder.git("merge", "--no-edit", "other", code=1)
    holder.key = key
    assert f"no key here opens {TEST}; it can be read by {holder.recipient}" in said
    assert "<<<<<<< " in holder.read(TEST)


def test_who_was_removed_on_one_branch_cannot_read_the_merge(holder: Person) -> None:
    bob_key = other_key()
    bob = str(bob_key.to_public())
    holder.must("secrets", "recipients", "add", bob, "-e", "test")
    set_secret(holder, "SMTP_PASSWORD", "base", "-e", "test")
    holder.commit("Base")
    holder.git("checkout", "--quiet", "-b", "other")
    holder.must("secrets", "recipients", "remove", bob, "-e", "test")
    holder.commit("Bob leaves")
    holder.git("checkout", "--quiet", "main")
    set_secret(holder, "API_KEY", CANARY, "-e", "test")
    holder.commit("Ours")
    holder.git("merge", "--quiet", "--no-edit", "other")
    assert bob not in holder.read(TEST)
    assert values(holder, "-e", "test")["app.API_KEY"] == CANARY
    reader = holder.clone("bob", bob_key)
    reader.refused("secrets", "show", "--values", "-y", "-e", "test", code=7)
