"""The encrypted files of a product, read with the identities that are here. Implements ports.SecretFiles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from ecluse.errors import Location, Problem
from ecluse.model.secret import Encrypted, Secret, Twin
from ecluse.secrets.sops.cipher import is_encrypted
from ecluse.secrets.sops.file import Closed, form_of, open_file, read_closed, read_plain, unlock
from ecluse.secrets.sops.program import NoKey, NoProgram
from ecluse.secrets.sops.tree import BadFile, Branch, Leaf, leaf_text, leaves
from ecluse.secrets.twins import TwinFiles, ValuePath, is_foreign


class SopsFiles:
    def __init__(self, files: TwinFiles) -> None:
        self._files = files

    def read(self, file: str, text: str) -> Twin:
        form = form_of(file)
        try:
            closed = read_closed(text, form)
            opened = self._opened(file, text, closed)
            values = dict(_values(file, closed, opened, ("app",) if form == "dotenv" else ()))
        except BadFile as error:
            return Twin(file, {}, (), is_open=False, problems=(Problem(Location(file), "", str(error)),))
        return Twin(file, values, closed.metadata.recipients, opened is not None)

    def rule(self, file: str) -> tuple[str, ...] | None:
        rule = self._files.rule(file)
        return rule.age if rule else None

    def _opened(self, file: str, text: str, closed: Closed) -> Sequence[Branch] | None:
        key = unlock(closed, self._files.identities.keys)
        if key is not None:
            return open_file(closed, key).branches
        if not is_foreign(closed):
            return None
        try:
            plain = self._files.program.decrypt(text, (self._files.root / file).absolute())
        except (NoKey, NoProgram):
            return None
        return read_plain(plain, closed.form)


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
        secret = Secret(written(text)) if text is not None else None
        mark = hashlib.sha256(f"{file}\0{name}\0{leaf}".encode("utf-8", "surrogateescape")).hexdigest()
        yield below + path, Encrypted(file, name, mark, secret, closed.metadata.recipients)


def written(leaf: Leaf) -> str:
    """As a file of settings would have it: booleans in small letters."""
    return str(leaf).lower() if isinstance(leaf, bool) else leaf_text(leaf)
