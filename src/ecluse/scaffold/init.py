"""Starts a product, and adds services to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import NotFound, Refused, UsageError, nearest
from ecluse.model.names import name_problem
from ecluse.scaffold import registry
from ecluse.scaffold.template import KINDS, PRODUCT, render
from ecluse.scaffold.write import write_new

PRODUCT_FILE = "ecluse.yaml"
FIRST_SERVICE = "hello"
# A repository that exists has its own; they are left as they are.
_KEPT = ("README.md", ".gitignore")


@dataclass(frozen=True, slots=True)
class Created:
    """What was written, relative to the folder; what was there and stays; what to do next, a line each."""

    folder: Path
    files: tuple[str, ...]
    kept: tuple[str, ...]
    next: tuple[str, ...]


def init_product(folder: Path, name: str) -> Created:
    """Writes a product with the service `hello`, which deploys as it is. Refused to replace a file."""
    _check_name(name)
    if (folder / PRODUCT_FILE).exists():
        raise Refused(
            f"{folder} is a product already: it holds {PRODUCT_FILE}",
            hint="ecluse init --service NAME adds a service",
        )
    values = {"product": name, "service": FIRST_SERVICE}
    texts = render(PRODUCT, values) | _service_files(FIRST_SERVICE, "python", values)
    kept = tuple(path for path in _KEPT if (folder / path).exists())
    new = {path: text for path, text in texts.items() if path not in kept}
    write_new(folder, new)
    return Created(folder, tuple(sorted(new)), kept, _after_product(folder))


def init_service(folder: Path, name: str, like: str, *, domain: str | None = None) -> Created:
    """Adds services/NAME, made like `like` (one of KINDS), to the product in `folder`.

    With `domain`, the service is put under it in ecluse.yaml, whose comments and order stay.
    """
    _check_name(name)
    if domain is not None:
        _check_name(domain)
    if like not in KINDS:
        raise UsageError(f"there is no kind of service called {like}", hint=nearest(like, KINDS))
    product = registry.read_product(_product_file(folder))
    if name in product.taken:
        raise Refused(
            f"{PRODUCT_FILE} has a {product.taken[name]} called {name} already", hint="choose another name"
        )
    files = _service_files(name, like, {"product": product.name, "service": name})
    write_new(folder, files)
    if domain:
        registry.add_service(_product_file(folder), name, domain)
    return Created(folder, tuple(sorted(files)), (), _after_service(folder, name))


def _service_files(name: str, like: str, values: dict[str, str]) -> dict[str, str]:
    return {f"services/{name}/{path}": text for path, text in render(like, values).items()}


def _product_file(folder: Path) -> Path:
    path = folder / PRODUCT_FILE
    if not path.is_file():
        raise NotFound(f"no {PRODUCT_FILE} in {folder}", hint="ecluse init starts a product")
    return path


def _check_name(name: str) -> None:
    if problem := name_problem(name):
        raise UsageError(f"{name!r}: {problem}")


def _after_product(folder: Path) -> tuple[str, ...]:
    git = () if _is_in_git(folder) else ("git init",)
    return (
        *git,
        "git add -A && git commit -m 'Start the product'",
        "ecluse doctor",
        f"ecluse build {FIRST_SERVICE}",
        f"ecluse deploy test {FIRST_SERVICE}",
    )


def _after_service(folder: Path, name: str) -> tuple[str, ...]:
    git = () if _is_in_git(folder) else ("git init",)
    return (*git, f"ecluse build {name}", f"ecluse deploy test {name}")


def _is_in_git(folder: Path) -> bool:
    absolute = folder.absolute()
    return any((parent / ".git").exists() for parent in (absolute, *absolute.parents))
