"""The real `sops` and `age-keygen`, as users have them, or as `make peers` built them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyrage

from ecluse.secrets.sops.identities import Identities

CACHE = Path(os.environ.get("ECLUSE_CACHE") or Path.home() / ".cache/ecluse")


def find(name: str) -> str | None:
    built = CACHE / "peers" / "bin" / name
    return str(built) if built.exists() else shutil.which(name)


@dataclass(frozen=True)
class RealSops:
    """The program with one identity and a folder to work in."""

    program: str
    folder: Path
    key: pyrage.x25519.Identity

    @property
    def recipient(self) -> str:
        return str(self.key.to_public())

    @property
    def identities(self) -> Identities:
        return Identities((self.key,))

    @property
    def environ(self) -> dict[str, str]:
        path = f"{Path(self.program).parent}:{os.environ['PATH']}"
        return {"SOPS_AGE_KEY": str(self.key), "HOME": str(self.folder), "PATH": path}

    def run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, "--disable-version-check", *arguments],
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            env=self.environ,
            cwd=self.folder,
            timeout=120,
            check=False,
        )

    def must(self, *arguments: str, given: str | None = None) -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        return name

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode("utf-8", "surrogateescape")
