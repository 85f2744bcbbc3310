"""Mutated files: `sops` and we give the same verdict, never a traceback, and no error holds a plain text.

`ECLUSE_SOPS_MUTATIONS=10000` for the full proof; a random seed may be given in `ECLUSE_SOPS_SEED`.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable

import pytest
from real_sops import RealSops

from ecluse.secrets.sops.file import (
    Form,
    close_file,
    new_file,
    open_file,
    read_closed,
    read_plain,
    unlock,
    write_closed,
)
from ecluse.secrets.sops.tree import BadFile
from ecluse.secrets.sops.walk import Selector

COUNT = int(os.environ.get("ECLUSE_SOPS_MUTATIONS", "300"))
CANARY = "c4n4ry"
DOCUMENTS: dict[Form, str] = {
    "yaml": f"# note {CANARY}\na: {CANARY}1\nb: [{CANARY}2, 3, true]\nc:\n    d: {CANARY}3\n    e_open: plain\n    f: 1.5\n"
    'g: ""\nh: null\n',
    "json": f'{{"a": "{CANARY}1", "b": ["{CANARY}2", 3, true], "c": {{"d": "{CANARY}3", "e_open": "plain"}}, "g": ""}}',
    "dotenv": f"# note\nA={CANARY}1\nB_open=plain\nC={CANARY}2\nD=\n",
}
NAMES: dict[Form, str] = {"yaml": "a.yaml", "json": "a.json", "dotenv": "a.env"}
SELECTORS = (
    None, Selector("unencrypted_suffix", "_open"), Selector("encrypted_regex", "^(a|A|b|d|C)$"),
    Selector("unencrypted_regex", "open"),
)  # fmt: skip
ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:([^,]*),iv:([^,]*),tag:([^,]*),type:(\w+)\]")

Mutate = Callable[[random.Random, str], str]


def flipped(chance: random.Random, text: str) -> str:
    """One letter of base64 or of anything else becomes another."""
    at = chance.randrange(len(text))
    return text[:at] + chance.choice("AZaz09+/=:-_,. \n\t#\"'{}[]|>&*!%@`") + text[at + 1 :]


def within(group: int) -> Mutate:
    def mutate(chance: random.Random, text: str) -> str:
        found = chance.choice(list(ENCRYPTED.finditer(text)))
        return text[: found.start(group)] + flipped(chance, found[group]) + text[found.end(group) :]

    return mutate


def typed(chance: random.Random, text: str) -> str:
    found = chance.choice(list(ENCRYPTED.finditer(text)))
    kind = chance.choice(["str", "int", "float", "bool", "bytes", "time", "comment", "none", ""])
    return text[: found.start(4)] + kind + text[found.end(4) :]


def exchanged(chance: random.Random, text: str) -> str:
    """Two values change places."""
    one, other = sorted(chance.sample(list(ENCRYPTED.finditer(text)), 2), key=lambda found: found.start())
    return text[: one.start()] + other[0] + text[one.end() : other.start()] + one[0] + text[other.end() :]


def unsealed(chance: random.Random, text: str) -> str:
    found = chance.choice(list(ENCRYPTED.finditer(text)))
    return text[: found.start()] + chance.choice(["plain", "", "1", "null", "ENC[]"]) + text[found.end() :]


def without_line(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    del lines[chance.randrange(len(lines))]
    return "\n".join(lines)


def repeated_line(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    return "\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])


def cut(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text))]


def metadata_changed(chance: random.Random, text: str) -> str:
    changes = [
        (r"(lastmodified\W+)20", r"\g<1>19"), (r"lastmodified", "lastmodifed"), (r"(lastmodified\W+)\d+", r"\1x"),
        (r"Z(\"?)", r"+01:00\1"), (r"\bmac\b", "mack"), (r"(?m)(mac\W+)ENC.*?\](\"?)", r"\1\2"),
        (r"version", "vers"), (r"3\.\d+\.\d+", "x.y"), (r"3\.\d+\.\d+", "3.0"), (r"_open", "_shut"),
        (r"unencrypted_suffix", "encrypted_suffix"), (r"encrypted_regex", "unencrypted_regex"),
        (r"recipient", "recipiant"), (r"age1.", "age1x"), (r"\bage\b", "pgp"), (r"\bsops", "sips"), (r"\benc\b", "encx"),
        (r"-----BEGIN AGE", "-----BEGIN PGP"), (r"plain", "plane"), (r"# note", "# other"), (r"\bd\b", "dd"),
    ]  # fmt: skip
    pattern, new = chance.choice(changes)
    return re.sub(pattern, new, text, count=1)


MUTATIONS: tuple[Mutate, ...] = (
    flipped, within(1), within(2), within(3), typed, exchanged, unsealed, without_line, repeated_line, cut,
    metadata_changed, metadata_changed,
)  # fmt: skip


def our_verdict(sops: RealSops, form: Form, text: str) -> tuple[bool, str]:
    """Whether it opens, and what is said when it does not."""
    try:
        closed = read_closed(text, form)
        key = unlock(closed, sops.identities.keys)
        if key is None:
            return False, "no key"
        open_file(closed, key)
    except BadFile as error:
        return False, str(error)
    return True, ""


def originals(sops: RealSops) -> list[tuple[Form, str]]:
    found = []
    for form, text in DOCUMENTS.items():
        for selector in SELECTORS:
            for only in (False, True):
                file = new_file(
                    form, read_plain(text, form), [sops.recipient], selector=selector, mac_only_encrypted=only
                )
                found.append((form, write_closed(close_file(file))))
    return found


@pytest.mark.parametrize("part", range(10))
def test_the_verdict_on_a_mutated_file_is_that_of_sops(sops: RealSops, part: int) -> None:
    seed = os.environ.get("ECLUSE_SOPS_SEED") or str(random.randrange(2**32))
    chance = random.Random(f"{seed}-{part}")
    files = originals(sops)
    opened = 0
    for number in range(COUNT // 10):
        form, text = chance.choice(files)
        mutate = chance.choice(MUTATIONS)
        mutated = mutate(chance, text)
        sops.write(NAMES[form], mutated)
        done = sops.run("decrypt", NAMES[form])
        is_open, reason = our_verdict(sops, form, mutated)
        where = f"seed {seed}, part {part}, number {number}, {form}"
        assert CANARY not in reason, where
        assert is_open == (done.returncode == 0), (
            f"{where}: we say {reason!r}, sops says {done.stderr}\n{mutated}"
        )
        opened += is_open
    assert opened < COUNT // 10
