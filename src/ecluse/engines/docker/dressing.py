"""Gives a container what it must find inside: variables and files, revealed from the vault at the last moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecluse.engines.docker import refusals
from ecluse.engines.docker.client import ApiError
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.output import Mask
from ecluse.engines.docker.owners import Accounts, needs_lookup
from ecluse.engines.docker.payloads import Packed
from ecluse.errors import EngineError
from ecluse.model.application import BackingService, File
from ecluse.model.cause import RolloutFailed
from ecluse.model.secret import Sealed, Text
from ecluse.model.workload import Box
from ecluse.ports import Vault

ROOT = "0:0"


class Dressing:
    def __init__(self, vault: Vault, containers: Containers) -> None:
        self._vault = vault
        self._containers = containers

    def env(self, box: Box) -> dict[str, str]:
        return {key: self.text(text) for key, text in box.env.items()}

    def text(self, text: Text) -> str:
        return self._vault.reveal(text) if isinstance(text, Sealed) else text

    def mask(self, box: Box) -> Mask:
        """Hides every secret that this box holds."""
        return self.mask_of([*box.env.values(), *(file.content for file in box.files)])

    def mask_of(self, texts: Iterable[Text]) -> Mask:
        return Mask(self._vault.reveal(text) for text in texts if isinstance(text, Sealed))

    def mask_backing(self, backing: BackingService) -> Mask:
        """Hides every password of a backing service, those of before too while they count."""
        return self.mask_of([backing.root_password, *backing.accounts.values(), *backing.former.values()])

    def mask_of_all(self) -> Mask:
        """Hides every secret of the product: for what a program wrote in the past, with what it had then."""
        return Mask(self._vault.texts())

    async def dress(self, container: str, box: Box, *, subject: str) -> None:
        """Puts the files of a box in; RolloutFailed when the program could not read one, or when it has no place."""
        try:
            await self.put(container, box.files)
        except Unreadable as error:
            raise RolloutFailed(refusals.unreadable(subject, error.message)) from error
        except ApiError as error:
            reason, paths = self.mask(box).hide(error.reason), [file.path for file in box.files]
            raise RolloutFailed(refusals.not_put(subject, paths, reason)) from error

    async def put(self, container: str, files: Sequence[File]) -> None:
        """Puts files into a container that has not started. Without an owner they belong to the image's user."""
        if not files:
            return
        default = _user(await self._containers.inspect(container))
        owners = {default, *(file.owner or default for file in files)}
        accounts = await self._accounts(container, owners)
        numbers = {owner: accounts.numbers(owner) for owner in owners}
        for file in files:
            _refuse_unreadable(file, default, numbers, accounts)
        await self._containers.put(
            container, [self._packed(file, numbers[file.owner or default]) for file in files]
        )

    def _packed(self, file: File, owner: tuple[int, int]) -> Packed:
        return Packed(file.path, self.text(file.content).encode(), file.mode, *owner)

    async def _accounts(self, container: str, owners: Iterable[str]) -> Accounts:
        if not any(needs_lookup(owner) for owner in owners):
            return Accounts("", "")
        passwd = await self._containers.read(container, "/etc/passwd")
        group = await self._containers.read(container, "/etc/group")
        return Accounts(passwd.decode(errors="replace"), group.decode(errors="replace"))


class Unreadable(EngineError):
    """A file that the container's own user could not read."""

    def __init__(self, path: str, mode: int, owner: str, user: str) -> None:
        super().__init__(f"{path} has mode {mode:04o} and belongs to {owner}, and the program runs as {user}")


def _refuse_unreadable(
    file: File, user: str, numbers: Mapping[str, tuple[int, int]], accounts: Accounts
) -> None:
    owner = file.owner or user
    (uid, gid), (file_uid, file_gid) = numbers[user], numbers[owner]
    may = (
        uid == 0
        or (file.mode & 0o400 and uid == file_uid)
        or (file.mode & 0o040 and file_gid in {gid, *accounts.groups(user)})
        or file.mode & 0o004
    )
    if not may:
        raise Unreadable(file.path, file.mode, owner, user)


def _user(inspected: Mapping[str, Any]) -> str:
    return str(inspected["Config"].get("User") or ROOT)
