"""Reads what BuildKit prints with --progress=plain: lines for people, and the cause of a failure. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecluse.images.dockerfile import Instruction

LAST_LINES = 20

_NUMBERED = re.compile(r"#(\d+) (.*)")
_OUTPUT = re.compile(r"\d+\.\d+ ?(.*)")
_STEP = re.compile(r"\[[^\]]*?\d+/\d+\] (?P<text>.*)")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_POSITION = re.compile(r"^[^\s:]+:(\d+)$")
_PARSE_ERROR = re.compile(r"parse error (?:on )?line (\d+)")
_NOISE = re.compile(
    r"ERROR: |DONE \d|CACHED$|sha256:|transferring |exporting |writing image|naming to|\[internal\]|resolve "
)


@dataclass(slots=True)
class _Step:
    name: str
    output: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    error: str | None = None


@dataclass(slots=True)
class BuildLog:
    """Follows one build. `feed` every raw line; ask `cause` when the build has failed."""

    _steps: dict[str, _Step] = field(default_factory=dict)
    _outside: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    def feed(self, raw: str) -> str | None:
        """The line as people should see it, without number and time; None for noise."""
        line = clean(raw)
        if not (numbered := _NUMBERED.match(line)):
            if line.strip():
                self._outside.append(line)
            return None
        number, text = numbered.groups()
        step = self._steps.get(number)
        if step is None:
            self._steps[number] = _Step(text)
        elif text.startswith("ERROR: "):
            step.error = text.removeprefix("ERROR: ")
        elif output := _OUTPUT.fullmatch(text):
            step.output.append(output[1])
            return output[1]
        return None if _NOISE.match(text) or not text.strip() else text

    def cause(self, instructions: Sequence[Instruction], dockerfile: str) -> tuple[str, ...]:
        """Why the build failed: the line of the Dockerfile, the last lines of that step, the error."""
        failed = next((step for step in self._steps.values() if step.error), None)
        error = (failed.error if failed else None) or self._last_error()
        step_text = _step_text(failed)
        line = self._line_told() or _line_of(step_text, instructions)
        where = f"{dockerfile}:{line}: " if line else ""
        head = where + (step_text or (failed.name if failed else ""))
        output = [f"  | {text}" for text in failed.output] if failed else []
        return tuple(text for text in (head.removesuffix(": "), *output, shorten(error)) if text)

    def _line_told(self) -> int | None:
        """Newer BuildKits print `Dockerfile:4`, and every one the line of a parse error."""
        for text in self._outside:
            if found := _POSITION.match(text) or _PARSE_ERROR.search(text):
                return int(found[1])
        return None

    def _last_error(self) -> str:
        told = [text for text in self._outside if not text.startswith(("---", " > "))]
        return told[-1] if told else "docker build gave no reason"


def clean(raw: str) -> str:
    """What a terminal would show of the line in the end: no colours, nothing that was overwritten."""
    return _ANSI.sub("", raw.rstrip("\r").rpartition("\r")[2])


def shorten(error: str) -> str:
    """The error without the machinery around it, which says nothing to the author of a Dockerfile."""
    text = re.sub(r"^(ERROR: )?failed to solve( with frontend [\w.]+)?: ", "", error)
    text = re.sub(r"^failed to create LLB definition: ", "", text)
    if found := re.search(r"(exit code: \d+)$", text):
        return found[1]
    return text


def hint_for(reason: str) -> str | None:
    """What to do about the failures that are not the author's."""
    for pattern, hint in _HINTS:
        if re.search(pattern, reason):
            return hint
    return None


_HINTS = (
    (r"no space left on device", "free the disk: docker system df, then docker builder prune"),
    (
        r"(manifests/|pull access denied|no such host|registry).*|: not found$|failed to do request",
        "the base image cannot be had: check its name, docker login, and the network; "
        "an image that is already on this machine needs no network",
    ),
    (r"Temporary failure resolving", "build steps have no network here: try ECLUSE_BUILD_NETWORK=host"),
    (
        r"target stage .* could not be found",
        "name a stage of the Dockerfile in image.target and image.tests.target",
    ),
)


def _step_text(step: _Step | None) -> str:
    found = _STEP.match(step.name) if step else None
    return found["text"].strip() if found else ""


def _line_of(step_text: str, instructions: Sequence[Instruction]) -> int | None:
    wanted = _squeeze(step_text)
    if not wanted:
        return None
    same = (one.line for one in instructions if _squeeze(f"{one.keyword} {one.text}") == wanted)
    return next(same, None)


def _squeeze(text: str) -> str:
    return " ".join(text.split())
