"""One value ↔ `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` (aes/cipher.go of SOPS)."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping

from ecluse.secrets.sops.moments import parse_moment
from ecluse.secrets.sops.tree import BadFile, Comment, Leaf, Time, leaf_text, to_bytes, to_text

IV_BYTES = 32
TAG_BYTES = 16
KEY_SIZES = (16, 24, 32)
_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

Stash = dict[tuple[str, str, str], bytes]
"""(type, text, associated data) → the IV that it was encrypted with, so that what is unchanged stays the same."""


class OldBytes(BadFile):
    """A value of the type `bytes`: sops 3.13 ends in a panic on it, wherever it stands."""


def is_encrypted(text: object) -> bool:
    return isinstance(text, str) and _ENCRYPTED.match(text) is not None


class Cipher:
    """Encrypts and decrypts the values of one file with its data key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(key) not in KEY_SIZES:
            raise BadFile("its data key has no length that AES knows")
        self._aes = AESGCM(key)
        self.stash: Stash = {}

    def decrypt(self, text: str, associated: str) -> Leaf | Comment:
        """BadFile when it is no such value, or was not encrypted with this key for this place."""
        from cryptography.exceptions import InvalidTag

        if text == "":
            return ""
        found = _ENCRYPTED.match(text)
        if not found:
            raise BadFile("is not encrypted")
        data, iv, tag = (_decoded(found[index]) for index in (1, 2, 3))
        try:
            plain = to_text(self._aes.decrypt(iv, data + tag, to_bytes(associated)))
        except (InvalidTag, ValueError):
            raise BadFile("does not open with the key of this file") from None
        kind = found[4]
        leaf = _typed(kind, plain)
        self.stash[kind, leaf_text(leaf), associated] = iv
        return leaf

    def encrypt(self, leaf: Leaf | Comment, associated: str) -> str:
        text, kind = leaf_text(leaf), _kind(leaf)
        if text == "":
            return ""
        iv = self.stash.get((kind, text, associated)) or os.urandom(IV_BYTES)
        sealed = self._aes.encrypt(iv, to_bytes(text), to_bytes(associated))
        parts = (sealed[:-TAG_BYTES], iv, sealed[-TAG_BYTES:])
        data, iv_text, tag = (base64.b64encode(part).decode() for part in parts)
        return f"ENC[AES256_GCM,data:{data},iv:{iv_text},tag:{tag},type:{kind}]"


def _decoded(text: str) -> bytes:
    text = text.replace("\r", "")
    if not _BASE64.fullmatch(text):
        raise BadFile("is not base64")
    return base64.b64decode(text)


def _kind(leaf: Leaf | Comment) -> str:
    match leaf:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case Time():
            return "time"
        case Comment():
            return "comment"
        case _:
            return "str"


def _typed(kind: str, text: str) -> Leaf | Comment:
    match kind:
        case "str":
            return text
        case "bytes":
            raise OldBytes("has the type bytes, which sops itself no longer opens")
        case "comment":
            return Comment(text)
        case "int" if _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
            return int(text)
        case "float":
            return _float(text)
        case "bool" if text in _TRUE | _FALSE:
            return text in _TRUE
        case "time":
            moment = parse_moment(text)
            if moment is not None:
                return Time(moment)
    raise BadFile("has a type that it does not fit")


_WORDS: Mapping[str, float] = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}


def _float(text: str) -> float:
    digits = text.lstrip("+-").lower()
    if digits in _WORDS:
        return -_WORDS[digits] if text.startswith("-") else _WORDS[digits]
    try:
        return float(text)
    except ValueError:
        raise BadFile("has a type that it does not fit") from None
