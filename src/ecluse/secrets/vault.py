"""The vault of one product: secret texts kept encrypted beside the state, found by keyed fingerprint.

The key stays in a private file of the state directory: who can read that directory is root on the engine.
What leaves the vault is a fingerprint (HMAC-SHA256 under the key), which tells only whether a text changed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import string
from collections.abc import Iterator
from pathlib import Path

from ecluse.errors import EcluseError, SecretUnavailable
from ecluse.model.secret import Sealed

KEY_BYTES = 32
FINGERPRINT_CHARACTERS = 32
CREDENTIAL_CHARACTERS = 32
_ALPHABET = string.ascii_letters + string.digits


class FolderVault:
    """Implements ports.Vault on a folder. `key` decides all fingerprints and derived credentials."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self._texts: dict[str, str] = {}
        self._marks: dict[str, Sealed] = {}

    @property
    def key(self) -> bytes:
        """For a copy in a place that only root can read."""
        return self._key

    def seal(self, text: str) -> Sealed:
        fingerprint = self._digest("seal", text).hex()[:FINGERPRINT_CHARACTERS]
        self._texts[fingerprint] = text
        return Sealed(fingerprint)

    def reveal(self, sealed: Sealed) -> str:
        if sealed.fingerprint not in self._texts:
            self._texts[sealed.fingerprint] = self._read(sealed)
        return self._texts[sealed.fingerprint]

    def recall(self, mark: str) -> Sealed | None:
        name = self._mark_name(mark)
        if name not in self._marks:
            try:
                self._marks[name] = Sealed((self._folder / name).read_text("ascii"))
            except (OSError, ValueError):
                return None
        return self._marks[name]

    def remember(self, mark: str, sealed: Sealed) -> None:
        self._marks[self._mark_name(mark)] = sealed

    def texts(self) -> Iterator[str]:
        kept = [path.name for path in self._folder.glob("[0-9a-f]*")] if self._folder.is_dir() else []
        for fingerprint in {*self._texts, *kept}:
            try:
                yield self.reveal(Sealed(fingerprint))
            except SecretUnavailable:
                continue

    def derive(self, purpose: str) -> str:
        digest = self._digest("derive", purpose)
        number = int.from_bytes(digest, "big")
        letters = []
        for _ in range(CREDENTIAL_CHARACTERS):
            number, index = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[index])
        return "".join(letters)

    def keep(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for fingerprint, text in self._texts.items():
            path = self._folder / fingerprint
            if not path.exists():
                write_private(path, self._encrypt(fingerprint, text))
        for name, sealed in self._marks.items():
            path = self._folder / name
            if not path.exists():
                write_private(path, sealed.fingerprint.encode())

    def _mark_name(self, mark: str) -> str:
        return f"mark-{self._digest('mark', mark).hex()[:FINGERPRINT_CHARACTERS]}"

    def _digest(self, use: str, text: str) -> bytes:
        return hmac.new(self._key, f"{use}\0{text}".encode(), hashlib.sha256).digest()

    def _cipher_key(self) -> bytes:
        return self._digest("encrypt", "vault")

    def _encrypt(self, fingerprint: str, text: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return nonce + AESGCM(self._cipher_key()).encrypt(nonce, text.encode(), fingerprint.encode())

    def _read(self, sealed: Sealed) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            raw = (self._folder / sealed.fingerprint).read_bytes()
            opened = AESGCM(self._cipher_key()).decrypt(raw[:12], raw[12:], sealed.fingerprint.encode())
        except (OSError, InvalidTag, ValueError) as error:
            raise SecretUnavailable(
                f"{sealed} is not in the vault of this product",
                hint="give the value again with `ecluse deploy --secrets FILE`",
            ) from error
        return opened.decode()


def open_vault(state: Path, *, create: bool) -> FolderVault:
    """The vault of a product's state. Without `create`, a missing key is replaced by one that is forgotten:
    a plan made before the first deployment writes nothing."""
    path = state / "key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = os.urandom(KEY_BYTES)
        if create:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _first(path, key)
    except OSError as error:
        raise EcluseError(
            f"cannot read the key of the vault {path}: {error.strerror}",
            hint="run the command as a member of the group that owns the state directory, or with sudo",
        ) from error
    return FolderVault(state / "vault", key)


def put_back_key(state: Path, key: bytes) -> bool:
    """A key that was kept elsewhere, where there is none; tells whether it counts now."""
    if len(key) != KEY_BYTES:
        return False
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _first(state / "key", key) == key


def _first(path: Path, key: bytes) -> bytes:
    """Writes the key unless another process was first; gives the one that counts."""
    draft = path.with_name(f"key.{os.getpid()}")
    write_private(draft, key)
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        draft.unlink()
    return key


def write_private(path: Path, content: bytes) -> None:
    """Writes a file of mode 0600 whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
