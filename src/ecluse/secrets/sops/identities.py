"""Private keys, found where `sops` finds them. Their texts never leave this file but as identities.

SSH first (SOPS_AGE_SSH_PRIVATE_KEY_FILE, _CMD, ~/.ssh/id_ed25519, ~/.ssh/id_rsa), then SOPS_AGE_KEY,
SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD and sops/age/keys.txt in the folder of the user's settings.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecluse.secrets.sops import age
from ecluse.secrets.sops.age import Identity

COMMAND_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Identities:
    """keys: what was found. complaints: places that should have given a key and did not. looked: all places."""

    keys: tuple[Identity, ...]
    complaints: tuple[str, ...] = ()
    looked: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """The public halves, as far as they can be told."""
        return tuple(dict.fromkeys(found for key in self.keys if (found := age.recipient_of(key))))


def find_identities(environ: Mapping[str, str] | None = None) -> Identities:
    """Never raises: what is wrong with a place is a complaint, since another one may do."""
    finding = _Finding(os.environ if environ is None else environ)
    keys = [*finding.ssh(), *finding.age()]
    return Identities(tuple(keys), tuple(finding.complaints), tuple(finding.looked))


class _Finding:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []
        self.looked: list[str] = []

    def ssh(self) -> Iterator[Identity]:
        if path := self._variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE"):
            yield from self._ssh_key(self._file(path), path)
        if command := self._variable("SOPS_AGE_SSH_PRIVATE_KEY_CMD"):
            yield from self._ssh_key(self._output(command), "SOPS_AGE_SSH_PRIVATE_KEY_CMD")
        for name in ("id_ed25519", "id_rsa"):
            path = str(self._home() / ".ssh" / name)
            self.looked.append(path)
            if Path(path).exists():
                yield from self._ssh_key(self._file(path), path)

    def age(self) -> Iterator[Identity]:
        if text := self._variable("SOPS_AGE_KEY"):
            yield from self._age_keys(text.split(), "SOPS_AGE_KEY")
        if path := self._variable("SOPS_AGE_KEY_FILE"):
            yield from self._age_keys(_lines(self._file(path)), path)
        if command := self._variable("SOPS_AGE_KEY_CMD"):
            yield from self._age_keys(_lines(self._output(command)), "SOPS_AGE_KEY_CMD")
        path = str(self._settings() / "sops" / "age" / "keys.txt")
        self.looked.append(path)
        if Path(path).exists():
            yield from self._age_keys(_lines(self._file(path)), path)

    def _variable(self, name: str) -> str | None:
        self.looked.append(name)
        return self._environ.get(name)

    def _home(self) -> Path:
        return Path(self._environ.get("HOME") or Path.home())

    def _settings(self) -> Path:
        given = self._environ.get("XDG_CONFIG_HOME")
        return Path(given) if given else self._home() / ".config"

    def _file(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            self.complaints.append(f"{path}: {error.strerror}")
            return None

    def _output(self, command: str) -> bytes | None:
        """The command gives its keys on standard output; nothing of it is ever shown."""
        try:
            done = subprocess.run(
                shlex.split(command),
                capture_output=True,
                timeout=COMMAND_SECONDS,
                env=dict(self._environ),
                check=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.complaints.append(f"the command for keys failed: {type(error).__name__}")
            return None
        return done.stdout

    def _age_keys(self, texts: list[str], place: str) -> Iterator[Identity]:
        for text in texts:
            if text and not text.startswith("#"):
                try:
                    yield age.parse_identity(text)
                except ValueError:
                    self.complaints.append(f"{place}: a line is no age identity that can be used here")

    def _ssh_key(self, data: bytes | None, place: str) -> Iterator[Identity]:
        if data is None:
            return
        try:
            yield age.parse_ssh_identity(data)
        except ValueError as error:
            self.complaints.append(f"{place} {error}")


def _lines(data: bytes | None) -> list[str]:
    return [line.strip() for line in (data or b"").decode("utf-8", "replace").splitlines()]
