"""A value for a file that one cannot read: sealed for those who can, until one of them accepts it.

A proposal is a file of SOPS in `proposals/`, which is no layer. Only its readers can open it: its author
cannot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.errors import ConfigInvalid, NotFound, nearest
from ecluse.secrets.sops.file import close_file, new_file, write_closed
from ecluse.secrets.sops.tree import BadFile, Branch, Item, Node, leaves
from ecluse.secrets.sops.walk import Selector
from ecluse.secrets.twins import TwinFiles, ValuePath, invalid, put

FOLDER = "proposals"
ENDING = ".sops.yaml"
_TARGET, _BY = "for", "by"
_OPEN = Selector("unencrypted_regex", f"^({_TARGET}|{_BY})$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """name: of the proposal. target: the encrypted file that it is for. paths: the values that it holds."""

    name: str
    target: str
    by: str
    paths: tuple[ValuePath, ...]

    @property
    def file(self) -> str:
        return f"{FOLDER}/{self.name}{ENDING}"


def propose(files: TwinFiles, target: str, path: ValuePath, text: str, *, by: str) -> Proposal:
    """Seals a value for the readers of `target`. Nothing that is there has to be opened."""
    readers = _readers(files, target)
    branch = Branch([Item(_TARGET, target), Item(_BY, by), Item("values", Branch())])
    put(branch, ("values", *path), text)
    where = target.removeprefix("config/").split(".sops.")[0]
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{where}-{path[-1]}")
    try:
        opened = new_file("yaml", [branch], readers, selector=_OPEN)
        files.write(f"{FOLDER}/{name}{ENDING}", write_closed(close_file(opened)))
    except BadFile as error:
        raise invalid(target, str(error)) from error
    return find(files, name)


def _readers(files: TwinFiles, target: str) -> Sequence[str]:
    if files.exists(target):
        return files.closed(target).metadata.recipients
    return files.required_rule(target).age


def waiting(files: TwinFiles) -> list[Proposal]:
    names = (path.name.removesuffix(ENDING) for path in sorted((files.root / FOLDER).glob(f"*{ENDING}")))
    return [find(files, name) for name in names]


def find(files: TwinFiles, name: str) -> Proposal:
    file = f"{FOLDER}/{name}{ENDING}"
    if not files.exists(file):
        known = [path.name.removesuffix(ENDING) for path in (files.root / FOLDER).glob(f"*{ENDING}")]
        raise NotFound(f"there is no proposal {name!r}", hint=nearest(name, known))
    branch = files.closed(file).branches[0]
    facts = {item.key: item.value for item in branch.items() if item.key in (_TARGET, _BY)}
    values = branch.find("values")
    paths = tuple(path for path, _ in leaves(values.value)) if values else ()
    target = str(facts.get(_TARGET, ""))
    if not (target.startswith("config/") and ".." not in target.split("/") and ".sops." in target):
        raise ConfigInvalid(invalid(file, "is for no encrypted file under config/").problems)
    return Proposal(name, target, str(facts.get(_BY, "")), paths)


def accept(files: TwinFiles, proposal: Proposal) -> None:
    """Puts the values into their file, which a key here must open, and removes the proposal."""
    values = files.read(proposal.file).branches[0].find("values")
    changes: dict[ValuePath, Node] = dict(leaves(values.value)) if values else {}
    files.change(proposal.target, changes)
    reject(files, proposal)


def reject(files: TwinFiles, proposal: Proposal) -> None:
    (files.root / proposal.file).unlink(missing_ok=True)


def replaced(files: TwinFiles, proposal: Proposal) -> list[str]:
    """The names of values that are there already."""
    if not files.exists(proposal.target):
        return []
    present = set(files.names(proposal.target))
    return [".".join(map(str, path)) for path in proposal.paths if path in present]
