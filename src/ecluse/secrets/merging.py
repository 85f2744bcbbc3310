"""Three versions of an encrypted file → one: changes of different keys go together. Pure but for the data keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.secrets.sops import age
from ecluse.secrets.sops.file import Opened, rotated
from ecluse.secrets.sops.tree import Branch, Comment, Item, Node, Series, copied

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A key that both sides changed, each in its own way. Carries no value."""

    document: int
    path: Keys

    def __str__(self) -> str:
        return ".".join(self.path)


def merge(base: Opened, ours: Opened, theirs: Opened) -> tuple[Opened, tuple[Conflict, ...]]:
    """Ours with the changes of theirs, for the recipients that both sides want. Lists are taken whole."""
    conflicts: list[Conflict] = []
    branches = [_copy(branch) for branch in ours.branches]
    count = max(len(branches), len(theirs.branches), len(base.branches))
    branches += [Branch() for _ in range(count - len(branches))]
    for index, branch in enumerate(branches):
        old, new = _document(base, index), _document(theirs, index)
        conflicts += [Conflict(index, path) for path in _merge(branch, old, new, ())]
    while branches and not branches[-1]:
        branches.pop()
    return _sealed(base, ours, theirs, branches), tuple(conflicts)


def merged_recipients(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Who was added on either side is in, who was removed on either side is out."""
    removed = {name for name in base if name not in ours or name not in theirs}
    return [name for name in dict.fromkeys([*ours, *theirs]) if name not in removed]


def _sealed(base: Opened, ours: Opened, theirs: Opened, branches: list[Branch]) -> Opened:
    """Under the newest data key of the three; a new one when somebody may no longer read what is written now."""
    start = theirs if ours.key == base.key and theirs.key != base.key else ours
    result = Opened(start.form, branches, start.metadata, start.key, start.cipher)
    other = theirs if start is ours else ours
    if other.key == result.key:
        result.cipher.stash = {**other.cipher.stash, **result.cipher.stash}
    wanted = merged_recipients(*(one.metadata.recipients for one in (base, ours, theirs)))
    if ours.metadata.is_split or any(group.foreign for group in ours.metadata.groups):
        return result
    return with_recipients(result, wanted)


def with_recipients(opened: Opened, wanted: Sequence[str]) -> Opened:
    """Readable by exactly these. Who leaves gets a data key that he never saw; who comes, a copy of this one."""
    group = opened.metadata.groups[0]
    present = {key.recipient: key for key in group.age}
    if any(name not in wanted for name in present):
        return rotated(opened, wanted)
    missing = [name for name in wanted if name not in present]
    group.age = [*group.age, *age.wrap(opened.key, missing)]
    return opened


def _merge(ours: Branch, base: Branch, theirs: Branch, path: Keys) -> list[Keys]:
    """Puts the changes of theirs into ours; gives the paths where both changed."""
    conflicts: list[Keys] = []
    names = dict.fromkeys([*(one.key for one in base.items()), *(one.key for one in theirs.items())])
    for name in names:
        old, mine, new = base.find(name), ours.find(name), theirs.find(name)
        if _same(old, new) or _same(mine, new):
            continue
        if _same(old, mine):
            _put(ours, theirs, name, new)
        elif mine and new and isinstance(mine.value, Branch) and isinstance(new.value, Branch):
            below = old.value if old and isinstance(old.value, Branch) else Branch()
            conflicts += _merge(mine.value, below, new.value, (*path, name))
        else:
            conflicts.append((*path, name))
    return conflicts


def _put(ours: Branch, theirs: Branch, name: str, new: Item | None) -> None:
    mine = ours.find(name)
    if new is None:
        if mine is not None:
            del ours[_index(ours, name)]
    elif mine is not None:
        mine.value = copied(new.value)
    else:
        comments, before = _around(theirs, name)
        at = _index(ours, before) + 1 if before and ours.find(before) else len(ours)
        ours[at:at] = [*comments, Item(name, copied(new.value))]


def _around(branch: Branch, name: str) -> tuple[list[Comment], str | None]:
    """The comments just above a key, and the key before it."""
    comments: list[Comment] = []
    before = None
    for one in branch:
        if isinstance(one, Comment):
            comments.append(one)
        elif one.key == name:
            break
        else:
            comments, before = [], one.key
    return comments, before


def _index(branch: Branch, name: str) -> int:
    return next(index for index, one in enumerate(branch) if isinstance(one, Item) and one.key == name)


def _same(one: Item | None, other: Item | None) -> bool:
    if one is None or other is None:
        return one is other
    return _plain(one.value) == _plain(other.value)


def _plain(node: Node) -> object:
    """To compare by: kinds matter, comments do not."""
    if isinstance(node, Branch):
        return {item.key: _plain(item.value) for item in node.items()}
    if isinstance(node, Series):
        return [_plain(one) for one in node.values()]
    return (type(node).__name__, node)


def _document(opened: Opened, index: int) -> Branch:
    return opened.branches[index] if index < len(opened.branches) else Branch()


def _copy(branch: Branch) -> Branch:
    node = copied(branch)
    assert isinstance(node, Branch)
    return node
