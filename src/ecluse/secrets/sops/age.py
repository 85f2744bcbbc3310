"""The data key of a file, encrypted for each age recipient by itself (age/keysource.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecluse.secrets.sops.metadata import AgeKey
from ecluse.secrets.sops.tree import BadFile

Identity = Any
"""A private key of pyrage: X25519 or SSH."""


def parse_identity(text: str) -> Identity:
    """ValueError when it is no `AGE-SECRET-KEY-1…`. The error says nothing of the text."""
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise ValueError("is no age identity") from None


def parse_ssh_identity(data: bytes) -> Identity:
    import pyrage

    try:
        return pyrage.ssh.Identity.from_buffer(data)
    except (pyrage.IdentityError, ValueError):
        raise ValueError("is no SSH key without a passphrase") from None


def parse_recipient(text: str) -> Any:
    """ValueError when it is neither `age1…` nor a public SSH key that we can encrypt for."""
    import pyrage

    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise ValueError("is no age recipient that can be encrypted for here") from None


def wrap(data_key: bytes, recipients: Sequence[str]) -> list[AgeKey]:
    """BadFile names a recipient that is none."""
    import pyrage

    keys = []
    for recipient in recipients:
        try:
            armoured = pyrage.encrypt(data_key, [parse_recipient(recipient)], armored=True)
        except (ValueError, pyrage.EncryptError) as error:
            raise BadFile(f"{recipient} {error}") from error
        text = armoured.decode()
        keys.append(AgeKey(recipient, text if text.endswith("\n") else text + "\n"))
    return keys


def unwrap(keys: Sequence[AgeKey], identities: Sequence[Identity]) -> bytes | None:
    """The data key, with the first identity that opens one of its copies; None when none does."""
    import pyrage

    if not identities:
        return None
    for key in keys:
        try:
            return bytes(pyrage.decrypt(key.enc.encode("utf-8", "replace"), identities))
        except pyrage.DecryptError:
            continue
    return None


def recipient_of(identity: Identity) -> str | None:
    """The public half of an X25519 identity; None of an SSH key, whose public half is elsewhere."""
    public = getattr(identity, "to_public", None)
    return str(public()) if public else None
