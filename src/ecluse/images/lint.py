"""Points out, in a Dockerfile, what lets builds drift or ties an image to an environment. Pure; warns only.

A Problem's key is the name of its rule. Rules in ADVICE are good practice; the others break
"one image, many deployments".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ecluse.errors import Location, Problem
from ecluse.images.dockerfile import Instruction, base_of, outer_bases, read_instructions

ADVICE = frozenset({"apt-lists", "apt-recommends"})

_ENVIRONMENT_NAME = re.compile(
    r"(?:^|_)(?:ENVIRONMENT|(?:APP|NODE|RAILS|RACK|FLASK|DJANGO|SYMFONY|DEPLOY|TARGET)_?ENV|STAGE)$|^ENV$",
    re.I,
)
_ENVIRONMENT_VALUE = re.compile(
    r"^(?:prod|production|staging|preprod|test|testing|dev|development|qa|uat)$", re.I
)
_ADDRESS_NAME = re.compile(r"(?:_URL|_URI|_DSN|_HOST|_ENDPOINT)$", re.I)
_SECRET_NAME = re.compile(r"(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)", re.I)
_PIP_INSTALL = re.compile(r"\bpip3?\s+install\s+(?P<what>[^;&|]*)")
_PINNED = re.compile(r"==|@|^\.|/|^-|\.whl$|\$")


def lint_dockerfile(text: str, file: str) -> tuple[Problem, ...]:
    """Every warning about the Dockerfile `text`, in the order of its lines; `file` is how to call it."""
    instructions = read_instructions(text)
    found = [*_bases(instructions), *_each(instructions)]
    return tuple(
        Problem(Location(file, line), rule, message, hint)
        for line, rule, message, hint in sorted(found, key=lambda one: one[0])
    )


_Found = tuple[int, str, str, str]


def _bases(instructions: Sequence[Instruction]) -> Iterator[_Found]:
    for one in outer_bases(instructions):
        base = base_of(one)
        if why := _drifts(base):
            yield (
                one.line, "base-unpinned", f"{base} {why}: two builds may start from different bases",
                "name a version, or a digest: image:version@sha256:…",
            )  # fmt: skip


def _drifts(base: str) -> str | None:
    if "@sha256:" in base or base.startswith("$"):
        return None
    tag = base.rpartition("/")[2].partition(":")[2]
    if not tag:
        return "has no tag"
    return "moves with every publication" if tag == "latest" else None


def _each(instructions: Sequence[Instruction]) -> Iterator[_Found]:
    for one in instructions:
        match one.keyword:
            case "RUN":
                yield from _run(one)
            case "ENV" | "ARG":
                yield from _variables(one)
            case "ADD" if re.search(r"\bhttps?://", one.text) and "--checksum=" not in one.text:
                yield (
                    one.line, "add-remote", "ADD fetches whatever the address holds on the day of the build",
                    "give ADD --checksum=sha256:…, or keep the file beside the code",
                )  # fmt: skip


def _variables(one: Instruction) -> Iterator[_Found]:
    for name, value in _assignments(one):
        if _SECRET_NAME.search(name) and (value or one.keyword == "ARG"):
            yield (
                one.line, "secret", f"{one.keyword} {name} stays readable in the image",
                "declare it in service.yaml with secret: true; a build alone takes RUN --mount=type=secret",
            )  # fmt: skip
        elif _is_of_environment(name, value):
            yield (
                one.line, "environment-value", f"{one.keyword} {name} ties the image to an environment",
                f"declare {name} in the config of service.yaml and give its values under config/",
            )  # fmt: skip


def _is_of_environment(name: str, value: str) -> bool:
    if _ENVIRONMENT_NAME.search(name) or (value and _ENVIRONMENT_VALUE.match(value)):
        return True
    return bool(_ADDRESS_NAME.search(name) and re.match(r"\w+://[^/]*\.", value))


def _assignments(one: Instruction) -> list[tuple[str, str]]:
    pairs = re.findall(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)", one.text)
    if pairs:
        return [(name, value.strip("\"'")) for name, value in pairs]
    name, _, value = one.text.partition(" ")
    return [(name, value.strip())] if name else []


def _run(one: Instruction) -> Iterator[_Found]:
    yield from _apt(one)
    for pattern, rule, message, hint in _RUN_RULES:
        if re.search(pattern, one.text):
            yield one.line, rule, message, hint
    for found in _PIP_INSTALL.finditer(one.text):
        if loose := [word for word in _pip_packages(found["what"]) if not _PINNED.search(word)]:
            yield (
                one.line, "packages-unpinned", f"pip installs the newest {', '.join(loose)}",
                "write name==version, or install from a requirements file with versions",
            )  # fmt: skip


_RUN_RULES = (
    (
        r"\bapt(-get)?\s+(-\S+\s+)*(dist-upgrade|full-upgrade|upgrade)\b",
        "apt-upgrade",
        "an upgrade gives another image every day",
        "take a newer base image instead",
    ),
    (
        r"\bnpm\s+(install|i)\b(?!\s+(-g|--global))",
        "packages-unpinned",
        "npm install may change versions",
        "npm ci installs what package-lock.json says",
    ),
    (
        r"\bcomposer\s+(update|require)\b",
        "packages-unpinned",
        "composer takes the newest versions",
        "composer install installs what composer.lock says",
    ),
    (
        r"\b(curl|wget)\b[^;&]*\|\s*(sudo\s+)?(ba|da|z)?sh\b",
        "fetched-script",
        "runs whatever the address holds on the day of the build",
        "keep the script beside the code, or check its digest before running it",
    ),
)


def _pip_packages(text: str) -> list[str]:
    words = text.split()
    if any(word in ("-r", "--requirement", "-c", "--constraint") for word in words):
        return []
    return [word.strip("\"'") for word in words if not word.startswith("-")]


def _apt(one: Instruction) -> Iterator[_Found]:
    if not re.search(r"\bapt(-get)?\s+(-\S+\s+)*install\b", one.text):
        return
    if "--no-install-recommends" not in one.text and "Install-Recommends" not in one.text:
        yield (
            one.line, "apt-recommends", "apt installs packages that nobody asked for",
            "add --no-install-recommends",
        )  # fmt: skip
    if "/var/lib/apt/lists" not in one.text and "--mount=type=cache" not in one.text:
        yield (
            one.line, "apt-lists", "the package lists stay in the image",
            "end the same RUN with: rm -rf /var/lib/apt/lists/*",
        )  # fmt: skip
