"""The `sops` program, for keys that are not ours to open: PGP, cloud KMS, Vault, Shamir groups, age plugins.

Plain texts go through pipes only, never through arguments or files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecluse.secrets.sops.tree import BadFile

SECONDS = 120
NO_KEY = 128


class NoProgram(BadFile):
    """`sops` is not installed."""


class NoKey(BadFile):
    """`sops` finds no key that opens the file."""


@dataclass(frozen=True, slots=True)
class Program:
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def path(self) -> str | None:
        return shutil.which("sops", path=self.environ.get("PATH"))

    def decrypt(self, text: str, file: Path) -> str:
        """The plain text of an encrypted one, in the format that its file's name says, its MAC verified.
        NoKey when no key here opens it, BadFile for the rest."""
        return self._run(["decrypt", *_formats(file)], self._folder(file), text)

    def encrypt(self, text: str, file: Path) -> str:
        """A new file of that name, under the creation rules."""
        return self._run(["encrypt", "--filename-override", str(file), *_formats(file)], file.parent, text)

    def set(self, file: Path, path: Sequence[str | int], value: object) -> None:
        self._run(["set", "--value-stdin", str(file), _index(path)], file.parent, json.dumps(value))

    def unset(self, file: Path, path: Sequence[str | int]) -> None:
        self._run(["unset", str(file), _index(path)], file.parent)

    def rotate(self, file: Path, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """A new data key, with age recipients more or less."""
        changes = [f"--add-age={','.join(add)}"] if add else []
        changes += [f"--rm-age={','.join(remove)}"] if remove else []
        self._run(["rotate", "--in-place", *changes, str(file)], file.parent)

    @staticmethod
    def _folder(file: Path) -> Path:
        return next(folder for folder in file.parents if folder.is_dir())

    def _run(self, arguments: Sequence[str], folder: Path, given: str = "") -> str:
        path = self.path
        if path is None:
            raise NoProgram("needs the sops program for its keys, which is not installed here")
        try:
            done = subprocess.run(
                [path, *arguments],
                input=given.encode("utf-8", "surrogateescape"),
                capture_output=True,
                timeout=SECONDS,
                env=dict(self.environ),
                cwd=folder,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadFile(f"sops did not answer: {type(error).__name__}") from None
        if done.returncode != 0:
            if done.returncode == NO_KEY:
                raise NoKey("does not open with the keys that sops finds here")
            # what it says may hold values: only its exit code is told
            raise BadFile(f"sops {arguments[0]} failed ({_REASONS.get(done.returncode, done.returncode)})")
        return done.stdout.decode("utf-8", "surrogateescape")


_REASONS = {
    25: "the metadata cannot be read",
    51: "its MAC does not fit: it was changed without its key",
    52: "its MAC does not fit: it was changed without its key",
}


def _formats(file: Path) -> list[str]:
    kind = {".json": "json", ".env": "dotenv"}.get(file.suffix, "yaml")
    return ["--input-type", kind, "--output-type", kind]


def _index(path: Sequence[str | int]) -> str:
    return "".join(f"[{json.dumps(part)}]" for part in path)
