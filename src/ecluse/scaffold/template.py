"""The files that a new product or service begins with, as text. Reads the package's own data only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

PRODUCT = "product"
KINDS = ("python", "php-apache", "front")
_PLACEHOLDER = re.compile(r"\{\{(product|service)\}\}")


def render(template: str, values: Mapping[str, str]) -> dict[str, str]:
    """Every file of a template, by relative path. `{{service}}` and `{{product}}` are replaced, in paths too.

    A file that is stored as `dot-name` is written as `.name`.
    """
    root = files(__package__) / "templates" / template
    return {
        _filled(_visible(path), values): _filled(file.read_text(encoding="utf-8"), values)
        for path, file in _walk(root, "")
    }


def _walk(folder: Traversable, below: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{below}{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _walk(entry, f"{path}/")
        else:
            yield path, entry


def _visible(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.replace('dot-', '.', 1) if name.startswith('dot-') else name}"


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
