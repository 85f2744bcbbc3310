"""From the words of `ecluse import env` to a draft: which file speaks for which service and environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ecluse.errors import NotFound, UsageError, nearest
from ecluse.importers.env import Source, Wishes, import_env
from ecluse.model.names import name_problem
from ecluse.model.product import Product
from ecluse.wiring.importing import Imported, bring, secret_layers
from ecluse.wiring.product import OpenProduct


def import_env_files(
    product: OpenProduct, files: Sequence[str], *, service: str | None, environment: str | None,
    secret: Sequence[str], plain: Sequence[str], overwrite: bool, dry_run: bool,
) -> Imported:  # fmt: skip
    """Raises UsageError for a file of which nobody can tell whose it is, ConfigInvalid for one that is wrong."""
    known = product.product
    sources = [_source(word, known, service, environment) for word in files]
    draft = import_env(
        sources,
        environments=list(known.environments),
        contracts=_contracts(product),
        wishes=Wishes(frozenset(secret), frozenset(plain)),
    )
    return bring(draft, product.root, secret_layers(product), overwrite=overwrite, dry_run=dry_run)


def _contracts(product: OpenProduct) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(spec.config) for name, spec in product.configuration.services.items()}


def _source(word: str, product: Product, service: str | None, environment: str | None) -> Source:
    scope, separator, path = word.partition("=")
    if not separator or "." in scope:
        scope, path = "", word
    names = [name for name in scope.split("/") if name]
    if len(names) > 2 or (service and len(names) > 1):
        raise UsageError(f"{word}: not [ENV/]SERVICE=FILE", hint="for instance test/invoicing=old/test.env")
    if service:
        environment = names[0] if names else environment or _guessed(path, product.environments)
    elif names:
        service = names[-1]
        environment = names[0] if len(names) == 2 else environment or _guessed(path, product.environments)
    else:
        service = _guessed(path, product.services)
        environment = environment or _guessed(path, product.environments)
    if service is None:
        raise UsageError(
            f"{path}: whose settings are these?", hint=f"write SERVICE={path}, or give --service"
        )
    if problem := name_problem(service):
        raise UsageError(f"{service!r}: {problem}")
    if environment is not None and environment not in product.environments:
        raise NotFound(
            f"no environment is named {environment}", hint=nearest(environment, product.environments)
        )
    return Source(path, _text(Path(path)), service, environment)


def _guessed(path: str, known: Collection[str]) -> str | None:
    """The one known name that is a word of the path: `old/invoicing.prod.env` speaks for itself."""
    words = {word for part in Path(path).parts for word in (part, *re.split(r"[._]", part))}
    found = [name for name in known if name in words]
    return found[0] if len(found) == 1 else None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is not UTF-8", hint="save the file as UTF-8") from None
