"""Gives a container what it must find inside: variables and files, revealed from the vault at the last moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.output import Mask
from ecluse.engines.docker.owners import Accounts, needs_lookup
from ecluse.engines.docker.payloads import Packed
from ecluse.model.application import File
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

    async def put(self, container: str, files: Sequence[File]) -> None:
        """Puts files into a container that has not started. Without an owner they belong to the image's user."""
        if not files:
            return
        default = _user(await self._containers.inspect(container))
        numbers = await self._numbers(container, {file.owner or default for file in files})
        await self._containers.put(
            container, [self._packed(file, numbers[file.owner or default]) for file in files]
        )

    def _packed(self, file: File, owner: tuple[int, int]) -> Packed:
        return Packed(file.path, self.text(file.content).encode(), file.mode, *owner)

    async def _numbers(self, container: str, owners: Iterable[str]) -> Mapping[str, tuple[int, int]]:
        wanted = set(owners)
        accounts = Accounts("", "")
        if any(needs_lookup(owner) for owner in wanted):
            passwd = await self._containers.read(container, "/etc/passwd")
            group = await self._containers.read(container, "/etc/group")
            accounts = Accounts(passwd.decode(errors="replace"), group.decode(errors="replace"))
        return {owner: accounts.numbers(owner) for owner in wanted}


def _user(inspected: Mapping[str, Any]) -> str:
    return str(inspected["Config"].get("User") or ROOT)
