"""Puts the passwords of now into applications that know those of before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ecluse.delivery.rotation import turned
from ecluse.model.application import Application, BackingService, File, Setting, login_name
from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed, Text
from ecluse.ports import Vault


@dataclass(frozen=True, slots=True)
class _Swap:
    """An old password and login of one client, and what takes their place."""

    fact: str
    old: str
    new: str
    old_login: str
    new_login: str

    def secret(self, text: str) -> str:
        return text.replace(f"{self.old_login}:{self.old}", f"{self.new_login}:{self.new}").replace(
            self.old, self.new
        )


def redressed(
    applications: Mapping[ServiceName, Application],
    before: Mapping[str, BackingService],
    after: Mapping[str, BackingService],
    vault: Vault,
) -> dict[ServiceName, Application]:
    """Applications with the passwords of `after` where they had those of `before`, and nothing else changed."""
    swaps: dict[ServiceName, list[_Swap]] = {}
    for name, client in turned(before, after):
        swaps.setdefault(client, []).append(_swap(before[name], after[name], client, vault))
    return {
        service: _redressed(application, swaps[service], vault) if service in swaps else application
        for service, application in applications.items()
    }


def _swap(before: BackingService, after: BackingService, client: ServiceName, vault: Vault) -> _Swap:
    return _Swap(
        f"backing.{before.name}.user",
        _text(before.accounts[client], vault),
        _text(after.accounts[client], vault),
        login_name(before.kind, client, before.turn(client)),
        login_name(after.kind, client, after.turn(client)),
    )


def _redressed(application: Application, swaps: list[_Swap], vault: Vault) -> Application:
    settings = tuple(_setting(item, swaps, vault) for item in application.settings)
    files = tuple(_file(item, swaps, vault) for item in application.files)
    return replace(application, settings=settings, files=files)


def _setting(item: Setting, swaps: list[_Swap], vault: Vault) -> Setting:
    if isinstance(item.text, Sealed):
        return replace(item, text=_swapped(item.text, swaps, vault))
    text = item.text
    for swap in swaps:
        if swap.fact in item.through:
            text = text.replace(swap.old_login, swap.new_login)
    return replace(item, text=text)


def _file(item: File, swaps: list[_Swap], vault: Vault) -> File:
    return (
        replace(item, content=_swapped(item.content, swaps, vault))
        if isinstance(item.content, Sealed)
        else item
    )


def _swapped(sealed: Sealed, swaps: list[_Swap], vault: Vault) -> Sealed:
    before = after = vault.reveal(sealed)
    for swap in swaps:
        after = swap.secret(after)
    return sealed if after == before else vault.seal(after)


def _text(text: Text, vault: Vault) -> str:
    return vault.reveal(text) if isinstance(text, Sealed) else text
