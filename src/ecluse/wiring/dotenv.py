"""What a service gets, as the `.env` of a developer's machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import ConfigInvalid, SecretUnavailable, UsageError
from ecluse.model.secret import Sealed
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.questions import Questions


@dataclass(frozen=True, slots=True)
class Dotenv:
    """The text, and the secrets that are not in it. Its text is private when secrets are."""

    text: str
    left_out: tuple[str, ...]


def dotenv(product: OpenProduct, environment: str, service: str, *, with_secrets: bool) -> Dotenv:
    """SecretUnavailable when a secret is asked for that cannot be read here."""
    from ecluse.config.formats import env_quoted

    questions = Questions(product, vault=product.reading.vault if with_secrets else None)
    sight = questions.sight(environment)
    lines, left_out = [], []
    for seen in sight.keys(service):
        key = seen.name.removeprefix("app.")
        if isinstance(seen.text, str):
            lines.append(f"{key}={env_quoted(seen.text)}\n")
        elif seen.text is not None and with_secrets:
            lines.append(f"{key}={env_quoted(_revealed(questions, seen.text, key))}\n")
        elif seen.text is not None:
            lines.append(f"# {key}=\n")
            left_out.append(key)
    if sight.problems:
        raise ConfigInvalid(sight.problems)
    head = f"# {service} as it is in {environment}. Not for git.\n"
    return Dotenv(head + "".join(lines), tuple(left_out))


def write_private(path: Path, text: str) -> None:
    """A file of mode 600, from its first byte on; an older one is replaced."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _revealed(questions: Questions, sealed: Sealed, key: str) -> str:
    hint = "an identity of a recipient opens it: `ecluse secrets verify` says who can"
    if sealed.is_unreadable:
        raise SecretUnavailable(f"{key} cannot be read here", hint=hint)
    try:
        return questions.vault.reveal(sealed)
    except SecretUnavailable as error:
        raise SecretUnavailable(f"{key} cannot be read here", hint=error.hint or hint) from error
