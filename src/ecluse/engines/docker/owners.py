"""Who owns a file inside a container: names looked up in the container's own /etc/passwd and /etc/group. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecluse.errors import EngineError


@dataclass(frozen=True, slots=True)
class Accounts:
    """The texts of /etc/passwd and /etc/group (passwd(5), group(5)) of one image."""

    passwd: str
    group: str

    def numbers(self, owner: str) -> tuple[int, int]:
        """uid and gid of `user`, `user:group`, or numbers; the user's own group when none is named."""
        user, _, group = owner.partition(":")
        uid, own = self._user(user)
        return uid, self._group(group) if group else own

    def groups(self, user: str) -> set[int]:
        """The further groups of a user, by /etc/group."""
        name, _, _ = user.partition(":")
        names = {name} | {row[0] for row in _rows(self.passwd, 4) if row[2] == name}
        return {int(row[2]) for row in _rows(self.group, 4) if names & set(row[3].split(","))}

    def _user(self, name: str) -> tuple[int, int]:
        column = 2 if name.isdigit() else 0
        for row in _rows(self.passwd, 4):
            if row[column] == name:
                return int(row[2]), int(row[3])
        if name.isdigit():
            return int(name), 0
        raise EngineError(
            f"the image has no user {name}", hint="name a user of its /etc/passwd, or give a number"
        )

    def _group(self, name: str) -> int:
        if name.isdigit():
            return int(name)
        for row in _rows(self.group, 3):
            if row[0] == name:
                return int(row[2])
        raise EngineError(
            f"the image has no group {name}", hint="name a group of its /etc/group, or give a number"
        )


def needs_lookup(owner: str) -> bool:
    """Numbers for both tell everything; a bare number leaves the group open."""
    user, _, group = owner.partition(":")
    return not (user.isdigit() and group.isdigit())


def _rows(text: str, columns: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        row = line.split(":")
        if len(row) >= columns:
            yield row
