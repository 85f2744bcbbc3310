"""A file of SOPS: opened, verified, changed and written, with what is unchanged left as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ecluse.secrets.sops import age, moments
from ecluse.secrets.sops.age import Identity
from ecluse.secrets.sops.cipher import Cipher
from ecluse.secrets.sops.dotenv_text import read_dotenv, write_dotenv
from ecluse.secrets.sops.flatten import flatten, unflatten
from ecluse.secrets.sops.json_text import read_json, write_json
from ecluse.secrets.sops.metadata import KEY, Group, Metadata, metadata_branch, read_metadata
from ecluse.secrets.sops.tree import BadFile, Branch, Item, MacMismatch, copied
from ecluse.secrets.sops.walk import (
    Selector,
    decrypt_branches,
    encrypt_branches,
    without_lonely_comments,
)
from ecluse.secrets.sops.yaml_reader import read_yaml
from ecluse.secrets.sops.yaml_writer import write_yaml

Form = Literal["yaml", "json", "dotenv", "binary"]
DATA_KEY_BYTES = 32
_PREFIX = f"{KEY}_"
_ENDINGS: Mapping[str, Form] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".env": "dotenv"}
_READ: Mapping[Form, Callable[[str], list[Branch]]] = {
    "yaml": read_yaml, "json": read_json, "dotenv": read_dotenv, "binary": read_json,
}  # fmt: skip
_WRITE: Mapping[Form, Callable[[Sequence[Branch]], str]] = {
    "yaml": write_yaml, "json": write_json, "dotenv": write_dotenv, "binary": write_json,
}  # fmt: skip


def form_of(path: str) -> Form:
    """The format of a file, by its name as SOPS has it."""
    return next((form for ending, form in _ENDINGS.items() if path.endswith(ending)), "binary")


@dataclass(slots=True)
class Closed:
    """A file as it was read: `branches` with what is encrypted in it, one for each document."""

    form: Form
    branches: list[Branch]
    metadata: Metadata


@dataclass(slots=True)
class Opened:
    """A file whose plain texts are in `branches`. key: its data key. cipher: remembers how each value was sealed."""

    form: Form
    branches: list[Branch]
    metadata: Metadata
    key: bytes = field(repr=False)
    cipher: Cipher = field(repr=False)


def read_plain(text: str, form: Form) -> list[Branch]:
    """The trees of a text without metadata; BadFile when it has some."""
    if form == "binary":
        return [Branch([Item("data", text)])]
    branches = _READ[form](text)
    if has_metadata(branches, form):
        raise BadFile(f"has a key {KEY}, which SOPS keeps for itself")
    return branches


def write_plain(branches: Sequence[Branch], form: Form) -> str:
    if form != "binary":
        return _WRITE[form](branches)
    data = branches[0].find("data") if branches else None
    if data is None or not isinstance(data.value, str):
        raise BadFile("has no data")
    return data.value


def has_metadata(branches: Sequence[Branch], form: Form) -> bool:
    if form == "dotenv":
        return any(item.key.startswith(_PREFIX) for branch in branches for item in branch.items())
    return any(item.key == KEY for branch in branches for item in branch.items())


def read_closed(text: str, form: Form) -> Closed:
    """BadFile when it is not a file of SOPS."""
    branches = _READ[form](text)
    found = _taken_flat(branches) if form == "dotenv" else _taken(branches)
    if found is None:
        raise BadFile("is not encrypted: it has no metadata of SOPS")
    return Closed(form, branches, read_metadata(found))


def write_closed(closed: Closed) -> str:
    metadata = metadata_branch(closed.metadata)
    if closed.form == "dotenv":
        return write_dotenv([Branch([*closed.branches[0], *flatten(metadata, _PREFIX)])])
    item = Item(KEY, metadata)
    return _WRITE[closed.form]([Branch([*branch, item]) for branch in closed.branches])


def unlock(closed: Closed, identities: Sequence[Identity]) -> bytes | None:
    """The data key; None when none of the identities opens it. BadFile when only the `sops` program could."""
    if closed.metadata.is_split:
        return None
    return age.unwrap(closed.metadata.groups[0].age, identities)


def open_file(closed: Closed, key: bytes) -> Opened:
    """The plain texts, verified. MacMismatch when what is not encrypted was changed, BadFile for the rest."""
    metadata, cipher = closed.metadata, Cipher(key)
    branches = [_copy(branch) for branch in closed.branches]
    computed = decrypt_branches(
        branches, cipher, metadata.selector, only_encrypted=metadata.mac_only_encrypted
    )
    try:
        written = Cipher(key).decrypt(metadata.mac, metadata.lastmodified)
    except BadFile:
        raise MacMismatch("was changed without its key: its MAC does not open") from None
    if written != computed:
        raise MacMismatch("was changed without its key: its MAC does not fit")
    return Opened(closed.form, branches, metadata, key, cipher)


def new_file(
    form: Form,
    branches: list[Branch],
    recipients: Sequence[str],
    *,
    selector: Selector | None = None,
    mac_only_encrypted: bool = False,
) -> Opened:
    """A file that was not there before, with a data key of its own."""
    key = os.urandom(DATA_KEY_BYTES)
    metadata = Metadata(
        groups=[Group(age.wrap(key, recipients))],
        lastmodified="",
        mac="",
        selector=selector or Selector(),
        mac_only_encrypted=mac_only_encrypted,
    )
    return Opened(form, branches, metadata, key, Cipher(key))


def close_file(opened: Opened) -> Closed:
    """Encrypts. Unchanged values keep their ciphertext, and a file without a change its MAC and moment."""
    branches = [_copy(branch) for branch in opened.branches]
    for branch in branches:
        without_lonely_comments(branch)
    metadata, cipher = opened.metadata, opened.cipher
    digest = encrypt_branches(branches, cipher, metadata.selector, only_encrypted=metadata.mac_only_encrypted)
    if metadata.mac and _same_mac(opened, digest):
        return Closed(opened.form, branches, metadata)
    moment = moments.now()
    fresh = replace(metadata, lastmodified=moment, mac=Cipher(opened.key).encrypt(digest, moment))
    return Closed(opened.form, branches, fresh)


def rotated(opened: Opened, recipients: Sequence[str]) -> Opened:
    """The same texts under a new data key, for `recipients` only."""
    return new_file(
        opened.form,
        opened.branches,
        recipients,
        selector=opened.metadata.selector,
        mac_only_encrypted=opened.metadata.mac_only_encrypted,
    )


def _same_mac(opened: Opened, digest: str) -> bool:
    try:
        return Cipher(opened.key).decrypt(opened.metadata.mac, opened.metadata.lastmodified) == digest
    except BadFile:
        return False


def _taken(branches: list[Branch]) -> Branch | None:
    """Takes the metadata out of every document; that of the first one counts."""
    found = None
    for index, branch in enumerate(branches):
        own = [item for item in branch.items() if item.key == KEY]
        if index == 0 and len(own) > 1:
            raise BadFile("has its metadata twice")
        if index == 0 and own:
            value = own[0].value
            if not isinstance(value, Branch):
                raise BadFile("has metadata that is no map")
            found = value
        branch[:] = [item for item in branch if not (isinstance(item, Item) and item.key == KEY)]
    return found


def _taken_flat(branches: list[Branch]) -> Branch | None:
    branch = branches[0]
    own = [one for one in branch if isinstance(one, Item) and one.key.startswith(_PREFIX)]
    branch[:] = [one for one in branch if not (isinstance(one, Item) and one.key.startswith(_PREFIX))]
    return unflatten(Branch(Item(one.key.removeprefix(_PREFIX), one.value) for one in own)) if own else None


def _copy(branch: Branch) -> Branch:
    node = copied(branch)
    assert isinstance(node, Branch)
    return node
