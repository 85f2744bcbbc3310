"""The encrypted files of a product, read with the identities that are here. Implements ports.SecretFiles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from ecluse.errors import Location, Problem
from ecluse.model.secret import Encrypted, Secret, Twin
from ecluse.secrets.sops.cipher import is_encrypted
from ecluse.secrets.sops.file import Closed, form_of, open_file, read_closed, unlock
from ecluse.secrets.sops.identities import Identities, find_identities
from ecluse.secrets.sops.tree import BadFile, Branch, leaf_text, leaves

ValuePath = tuple[str | int, ...]


class SopsFiles:
    """`identities`: those that are found where `sops` finds them, by default."""

    def __init__(self, root: Path, identities: Identities | None = None) -> None:
        self._root = root
        self._given = identities

    @cached_property
    def identities(self) -> Identities:
        return self._given or find_identities()

    def read(self, file: str, text: str) -> Twin:
        form = form_of(file)
        try:
            closed = read_closed(text, form)
            opened = self._opened(closed)
        except BadFile as error:
            return Twin(file, {}, (), is_open=False, problems=(Problem(Location(file), "", str(error)),))
        below: ValuePath = ("app",) if form == "dotenv" else ()
        values = dict(_values(file, closed, opened, below))
        return Twin(file, values, closed.metadata.recipients, opened is not None, rule=self.rule(file))

    def rule(self, file: str) -> tuple[str, ...] | None:
        return None

    def _opened(self, closed: Closed) -> Sequence[Branch] | None:
        key = unlock(closed, self.identities.keys)
        return open_file(closed, key).branches if key else None


def _values(
    file: str, closed: Closed, opened: Sequence[Branch] | None, below: ValuePath
) -> Iterator[tuple[ValuePath, Encrypted]]:
    """Each encrypted value; only the first document of a file is a layer."""
    texts = dict(leaves(opened[0])) if opened else {}
    for path, leaf in leaves(closed.branches[0]) if closed.branches else ():
        if not is_encrypted(leaf):
            continue
        name = ".".join(map(str, below + path))
        text = texts.get(path)
        secret = Secret(_written(text)) if text is not None else None
        mark = hashlib.sha256(f"{file}\0{name}\0{leaf}".encode()).hexdigest()
        yield below + path, Encrypted(file, name, mark, secret, closed.metadata.recipients)


def _written(leaf: object) -> str:
    """As a file of settings would have it: booleans in small letters."""
    return str(leaf).lower() if isinstance(leaf, bool) else leaf_text(leaf)  # type: ignore[arg-type]  # a leaf
