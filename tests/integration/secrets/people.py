"""People with keys and clones of their own, who run the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import ready

CANARY = "c4n4ry-" + "7h15-must-never-show"
PRODUCT = """\
product: shop
services:
  orders: {domain: sales}
  stock: {domain: sales}
environments:
  test: {domain: test.localhost}
  prod: {domain: shop.example.fr, follows: [test], protected: true}
"""
SERVICE = """\
service: NAME
processes:
  web: {port: 8080}
config:
  SMTP_PASSWORD: {secret: true}
  API_KEY: {secret: true}
"""


@dataclass
class Person:
    """Somebody with a home, perhaps a key, and a folder of the product. said: all that commands ever printed."""

    home: Path
    root: Path
    key: pyrage.x25519.Identity | None = None
    said: list[str] = field(default_factory=list)

    @property
    def recipient(self) -> str:
        assert self.key
        return str(self.key.to_public())

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        private = self.home / "run"
        private.mkdir(parents=True, exist_ok=True)
        own = {
            "HOME": str(self.home), "ECLUSE_STATE": str(self.home / "state"), "XDG_RUNTIME_DIR": str(private),
            "ECLUSE_USER": self.home.name, "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_AUTHOR_NAME": "P", "GIT_AUTHOR_EMAIL": "p@example.fr",
            "GIT_COMMITTER_NAME": "P", "GIT_COMMITTER_EMAIL": "p@example.fr",
        }  # fmt: skip
        identity = {"SOPS_AGE_KEY": str(self.key)} if self.key else {}
        return kept | own | identity | more

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ecluse.cli.main", "-C", str(self.root), *words]

    def run(self, *words: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        done = ready.run(
            ["-C", str(self.root), *words], given=given, environ=self.environ(**environ), folder=self.root
        )
        self.said += [done.stdout, done.stderr]
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def must(self, *words: str, given: str = "", **environ: str) -> str:
        done = self.run(*words, given=given, **environ)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def refused(self, *words: str, code: int, given: str = "", **environ: str) -> str:
        done = self.run(*words, given=given, **environ)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stderr

    def git(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *words], capture_output=True, text=True, timeout=120,
            env=self.environ(), check=False,
        )  # fmt: skip
        self.said += [done.stdout, done.stderr]
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def read(self, file: str) -> str:
        return (self.root / file).read_text()

    def clone(self, name: str, key: pyrage.x25519.Identity | None) -> Person:
        home = self.home.parent / name
        home.mkdir()
        other = Person(home, home / "shop", key)
        subprocess.run(
            ["git", "clone", "--quiet", str(self.root), str(other.root)], check=True, env=self.environ()
        )
        return other

    def says_nothing(self, text: str = CANARY) -> None:
        """Nowhere in what commands printed, nor in any file of the product or of the state."""
        assert not [line for line in self.said if text in line]
        for folder in (self.root, self.home / "state", self.home / "run"):
            for path in folder.rglob("*") if folder.exists() else ():
                if path.is_file():
                    assert text.encode() not in path.read_bytes(), path


def founder(folder: Path) -> Person:
    home = folder / "alice"
    root = home / "shop"
    for name in ("orders", "stock"):
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / name / "service.yaml").write_text(SERVICE.replace("NAME", name))
    (root / "ecluse.yaml").write_text(PRODUCT)
    (root / ".gitignore").write_text("")
    person = Person(home, root, pyrage.x25519.Identity.generate())
    person.git("init", "--quiet", "--initial-branch=main")
    person.commit("The product")
    return person
