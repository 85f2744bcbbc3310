"""Reads a Dockerfile into its instructions, each with its line. Pure; understands no instruction.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?([\"']?)([A-Za-z_]\w*)\1")


@dataclass(frozen=True, slots=True)
class Instruction:
    """line: where it begins, from 1. text: its arguments on one line, comments and continuations gone."""

    line: int
    keyword: str
    text: str


def read_instructions(dockerfile: str) -> tuple[Instruction, ...]:
    return tuple(_instructions(dockerfile.splitlines()))


def stage_name(instruction: Instruction) -> str | None:
    """The name that a FROM gives its stage, in lower case."""
    words = instruction.text.split()
    return words[-1].lower() if len(words) >= 3 and words[-2].upper() == "AS" else None


def base_of(instruction: Instruction) -> str:
    """What a FROM starts from: an image, or an earlier stage."""
    return next((word for word in instruction.text.split() if not word.startswith("--")), "")


def outer_bases(instructions: Sequence[Instruction]) -> tuple[Instruction, ...]:
    """Each FROM that starts from an image, not from an earlier stage nor from nothing."""
    stages, found = {"scratch"}, []
    for one in instructions:
        if one.keyword == "FROM":
            if base_of(one).lower() not in stages:
                found.append(one)
            stages.add(stage_name(one) or "scratch")
    return tuple(found)


def _instructions(lines: Sequence[str]) -> Iterator[Instruction]:
    escape = _escape_of(lines)
    number = 0
    while number < len(lines):
        first, number, text = _logical_line(lines, number, escape)
        keyword, _, arguments = text.partition(" ")
        if not keyword:
            continue
        number, body = _heredocs(lines, number, arguments)
        yield Instruction(first + 1, keyword.upper(), " ".join([arguments.strip(), *body]).strip())


def _logical_line(lines: Sequence[str], number: int, escape: str) -> tuple[int, int, str]:
    """Where it begins, the line after, and the joined text; comments and empty lines are skipped."""
    parts: list[str] = []
    first = number
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if not line or line.startswith("#"):
            continue
        first = first if parts else number - 1
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line.removesuffix(escape).strip())
    return first, number, " ".join(part for part in parts if part)


def _heredocs(lines: Sequence[str], number: int, arguments: str) -> tuple[int, list[str]]:
    body: list[str] = []
    for _, end in _HEREDOC.findall(arguments):
        while number < len(lines) and lines[number].strip() != end:
            body.append(lines[number].strip())
            number += 1
        number += 1
    return number, body


def _escape_of(lines: Sequence[str]) -> str:
    found = _ESCAPE.match(lines[0].strip()) if lines else None
    return found[1] if found else "\\"
