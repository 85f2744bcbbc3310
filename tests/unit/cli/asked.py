"""Runs the command in this process, on a product folder: words in, exit code and both outputs out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ecluse.cli.main import run_command


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Asked:
    root: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Answer:
        self.capture.readouterr()
        code = run_command(["-C", str(self.root), *words])
        out, err = self.capture.readouterr()
        return Answer(code, out, err)

    def ok(self, *words: str) -> Answer:
        answer = self(*words)
        assert answer.code == 0, answer.err
        return answer
