"""`ecluse import compose`: reads the file and those that it names, and brings the draft."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecluse.errors import ConfigInvalid, NotFound, UsageError, nearest
from ecluse.importers.compose.convert import Asked, env_files, import_compose
from ecluse.importers.compose.read import read_compose
from ecluse.importers.dotenv import read_env
from ecluse.importers.env import Wishes
from ecluse.model.names import name_problem
from ecluse.wiring.importing import Imported, bring, secret_layers
from ecluse.wiring.product import OpenProduct

FIRST_ENVIRONMENT = "test"


def import_compose_file(
    product: OpenProduct, path: Path, *, environment: str | None, secret: Sequence[str], plain: Sequence[str],
    overwrite: bool, dry_run: bool,
) -> Imported:  # fmt: skip
    """Raises ConfigInvalid with lines for a file that is wrong, UsageError where the environment must be named."""
    text = _text(path)
    if text is None:
        raise NotFound(f"there is no file {path}")
    beside = _text(path.parent / ".env")
    known = read_env(beside, ".env") if beside is not None else None
    if known and known.problems:
        raise ConfigInvalid(known.problems)
    variables = known.values if known else {}
    has_product = (product.root / "ecluse.yaml").exists()
    environments = list(map(str, product.product.environments)) if has_product else []
    asked = Asked(
        file=path.name,
        text=text,
        environment=_environment(environment, environments),
        files={
            name: _text(path.parent / name) for name in env_files(read_compose(text, path.name, variables))
        },
        variables=variables,
        folder=path.absolute().parent.name,
        has_product=has_product,
        known=frozenset(environments),
        wishes=Wishes(frozenset(secret), frozenset(plain)),
    )
    draft = import_compose(asked)
    return bring(draft, product.root, secret_layers(product), overwrite=overwrite, dry_run=dry_run)


def _environment(wanted: str | None, known: Sequence[str]) -> str:
    if wanted is not None:
        if known and wanted not in known:
            raise NotFound(f"no environment is named {wanted}", hint=nearest(wanted, known))
        if problem := name_problem(wanted):
            raise UsageError(f"{wanted!r}: {problem}")
        return wanted
    if not known:
        return FIRST_ENVIRONMENT
    if len(known) > 1:
        raise UsageError("of which environment are these values?", hint=f"--environment {' or '.join(known)}")
    return known[0]


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError):
        raise UsageError(f"cannot read {path}: it is not UTF-8", hint="save the file as UTF-8") from None
