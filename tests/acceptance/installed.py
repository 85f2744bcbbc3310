"""Drives the installed command, as a person would: words in, exit code, standard output and error out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ECLUSE = Path(sys.executable).with_name("ecluse")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """`ecluse -C root`, with a state and an edge port of its own. inside: what leads into another namespace."""

    root: Path
    state: Path
    port: int
    inside: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return [*self.inside, str(ECLUSE), "-C", str(self.root)]

    def __call__(self, *words: str, timeout: float = 600, given: str = "", **variables: str) -> Answer:
        done = subprocess.run(
            [*self.words, *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            input=given,
            env=self.environment(variables),
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, timeout: float = 900, given: str = "", **variables: str) -> Answer:
        answer = self(*words, timeout=timeout, given=given, **variables)
        assert answer.code == 0, (
            f"ecluse {' '.join(words)} ended with {answer.code}\n{answer.out}\n{answer.err}"
        )
        return answer

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        ours = {
            "ECLUSE_STATE": str(self.state),
            "ECLUSE_EDGE_HTTP_PORT": str(self.port),
            "ECLUSE_EDGE_HTTPS_PORT": "0",
            "ECLUSE_BUILD_NETWORK": os.environ.get("ECLUSE_BUILD_NETWORK", "host"),
            "NO_COLOR": "1",
        }
        return os.environ | ours | dict(self.variables) | dict(variables or {})


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def docker(*words: str) -> str:
    path = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
    return subprocess.run([path, *words], capture_output=True, text=True, check=True).stdout.strip()


def remove_images(product: str) -> None:
    """The images that a test's product left; the build cache keeps what is slow to make."""
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    mine = [tag for tag in tags if tag.startswith(f"{product}/")]
    if mine:
        docker("image", "rm", "--force", *mine)
