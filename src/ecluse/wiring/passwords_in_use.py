"""Passwords of backing services that are in use, when the record is gone and perhaps the key that they followed from:
found in the running parts, and kept. Nothing is changed in a server.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecluse.model.application import Application, BackingService, Passwords, login_name, password_purpose
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Intent
from ecluse.model.secret import Sealed, Secret, Text
from ecluse.ports import SecretSource, Vault
from ecluse.wiring.recollection import Recollection
from ecluse.wiring.state import ProductState

_TURNS = range(1, 33)
_ANY = "[A-Za-z0-9]+"
"""What a generated password is made of."""


@dataclass(frozen=True, slots=True)
class InUse:
    """backing: those whose passwords are others than the key of now gives. unknown: clients that run with a password
    which nobody can tell, by backing service."""

    backing: Mapping[str, BackingService] = field(default_factory=dict)
    unknown: Mapping[str, Sequence[ServiceName]] = field(default_factory=dict)

    def without_unknown(self, backing: Mapping[str, BackingService]) -> dict[str, BackingService]:
        """Accounts that nobody can speak for are not touched."""
        return {
            name: replace(
                item,
                accounts={
                    client: text
                    for client, text in item.accounts.items()
                    if client not in self.unknown.get(name, ())
                },
            )
            for name, item in backing.items()
        }


async def retain(
    state: ProductState,
    intent: Intent,
    observed: Observed,
    running: Mapping[ServiceName, Recollection],
    given: SecretSource,
) -> InUse:
    """What the intent's backing services run with. `running`: what their clients were given."""
    return found_in_use(intent, await _told(state, intent, observed), running, given, state.vault)


def found_in_use(
    intent: Intent,
    told: Mapping[str, Passwords],
    running: Mapping[ServiceName, Recollection],
    given: SecretSource,
    vault: Vault,
) -> InUse:
    """told: what each backing service that runs says itself. Pure."""
    kept, unknown = {}, {}
    for name, passwords in told.items():
        finding = _Finding(intent, name, passwords, running, given, vault)
        accounts, missing = finding.accounts()
        item = finding.kept(accounts)
        if item != intent.backing[name]:
            kept[name] = item
        if missing:
            unknown[name] = missing
    return InUse(kept, unknown)


async def _told(state: ProductState, intent: Intent, observed: Observed) -> dict[str, Passwords]:
    there = {item.name for item in observed.backing}
    engine = state.engine()
    try:
        return {
            name: await engine.passwords(intent.target, item)
            for name, item in sorted(intent.backing.items())
            if name in there
        }
    finally:
        await engine.close()


@dataclass(frozen=True, slots=True)
class _Finding:
    """The passwords of one backing service."""

    intent: Intent
    name: str
    told: Passwords
    running: Mapping[ServiceName, Recollection]
    given: SecretSource
    vault: Vault

    @property
    def item(self) -> BackingService:
        return self.intent.backing[self.name]

    def accounts(self) -> tuple[dict[ServiceName, tuple[str, int]], list[ServiceName]]:
        """Client → password and turn; and those that have one which nobody can tell."""
        found, missing = {}, []
        for client in sorted(set(self.item.accounts) & set(self.running)):
            passwords = list(self._passwords(client))
            if passwords:
                found[client] = (passwords[0][0], self._turn(client, *passwords[0]))
            elif self._is_used(client):
                missing.append(client)
        return found, missing

    def kept(self, accounts: Mapping[ServiceName, tuple[str, int]]) -> BackingService:
        seal, item = self.vault.seal, self.item
        return replace(
            item,
            root_password=item.root_password if self.told.root is None else seal(self.told.root),
            accounts={**item.accounts, **{client: seal(text) for client, (text, _) in accounts.items()}},
            turns={client: turn for client, (_, turn) in accounts.items() if turn > 1},
        )

    def _passwords(self, client: ServiceName) -> Iterator[tuple[str, str]]:
        """Password and login, as far as it is said: by the service itself, by its client, by people."""
        if client in self.told.clients:
            yield self.told.clients[client], ""
        for wanted, running in self._texts(client):
            if match := re.fullmatch(self._pattern(client, wanted), running):
                yield match["password"], match.groupdict().get("login") or self._login(client)
        found = self.given.lookup(self.intent.target.environment, client, f"backing.{self.name}.password")
        if found is not None:
            text = found[0]
            yield text.reveal() if isinstance(text, Secret) else self.vault.reveal(text), self._login(client)

    def _is_used(self, client: ServiceName) -> bool:
        application = self.intent.applications.get(client)
        return application is not None and any(
            self._derived(client) in text for text in _secrets(application, self.vault)
        )

    def _texts(self, client: ServiceName) -> Iterator[tuple[str, str]]:
        """Where the password is: the text with the one that the key of now gives, and the text that runs."""
        application, there = self.intent.applications.get(client), self.running[client]
        if application is None:
            return
        pairs = [(item.text, there.settings.get(item.key)) for item in application.settings]
        pairs += [(item.content, there.files.get(item.path)) for item in application.files]
        for wanted, running in pairs:
            if isinstance(wanted, Sealed) and running is not None and not wanted.is_unreadable:
                text = self.vault.reveal(wanted)
                if self._derived(client) in text:
                    yield text, running

    def _pattern(self, client: ServiceName, wanted: str) -> str:
        """What the running text must be like: the same, but for the passwords that are looked for."""
        pattern = re.escape(wanted)
        login = re.escape(login_name(self.item.kind, client, 1))
        mine = self._derived(client)
        pattern = pattern.replace(f"{login}:{mine}", rf"(?P<login>{login}(?:\.b)?):{mine}", 1)
        pattern = pattern.replace(mine, f"(?P<password>{_ANY})", 1).replace(mine, "(?P=password)")
        for name, other in self.intent.backing.items():
            if name != self.name and client in other.accounts:
                pattern = pattern.replace(self._plain(other.accounts[client]), _ANY)
        return pattern

    def _login(self, client: ServiceName) -> str:
        """Who it says it is, where a setting of its own tells."""
        application = self.intent.applications.get(client)
        told = [
            self.running[client].settings.get(item.key, "")
            for item in (application.settings if application else ())
            if f"backing.{self.name}.user" in item.through
        ]
        return told[0] if told else ""

    def _turn(self, client: ServiceName, password: str, login: str) -> int:
        """The turn that the key gives this password for; else one in which the client says that it is `login`."""
        environment = self.intent.target.environment
        for turn in _TURNS:
            if self.vault.derive(password_purpose(environment, self.name, client, turn)) == password:
                return turn
        return 2 if login and login == login_name(self.item.kind, client, 2) != client else 1

    def _derived(self, client: ServiceName) -> str:
        return self._plain(self.item.accounts[client])

    def _plain(self, text: Text) -> str:
        return self.vault.reveal(text) if isinstance(text, Sealed) else text


def _secrets(application: Application, vault: Vault) -> Iterator[str]:
    texts: Collection[Text] = [
        *(item.text for item in application.settings),
        *(item.content for item in application.files),
    ]
    for text in texts:
        if isinstance(text, Sealed) and not text.is_unreadable:
            yield vault.reveal(text)
