"""Backing services as their clients see them: addresses, accounts, and what `${backing.…}` stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from ecluse.config.interpolate import BadReference, Reveal, Value
from ecluse.errors import SecretUnavailable, nearest
from ecluse.model.application import BackingService, login_name, password_purpose
from ecluse.model.names import EnvironmentName, ServiceName, bucket_name
from ecluse.model.product import Backing, BackingKind, External
from ecluse.model.secret import Sealed, Text
from ecluse.ports import SecretSource, Vault

FIELDS = ("url", "host", "port", "user", "password", "name")
REGION = "us-east-1"
SCHEMES: Mapping[BackingKind, str] = {"mariadb": "mysql", "postgresql": "postgresql", "redis": "redis"}
VERSIONS: Mapping[BackingKind, str] = {"mariadb": "10.11", "postgresql": "15", "redis": "7.0", "s3": "2.30"}
PORTS: Mapping[BackingKind, int] = {"mariadb": 3306, "postgresql": 5432, "redis": 6379, "s3": 8080}
EXTERNAL_PORTS: Mapping[BackingKind, int] = {**PORTS, "s3": 443}


Given = Callable[[str], Value | None]
"""The secret that the encrypted files give a client for a key."""


@dataclass(slots=True)
class Accounts:
    """Who may enter which backing service of one environment, and with what password."""

    environment: EnvironmentName
    vault: Vault
    secrets: SecretSource
    known: Mapping[str, BackingService] = field(default_factory=dict)
    """What runs already, with the turns of its passwords."""
    _passwords: dict[tuple[str, str], str] = field(default_factory=dict)

    def service(self, backing: Backing, clients: Collection[ServiceName]) -> BackingService:
        """The backing service as an engine runs it, with an account for each client."""
        seal = self.vault.seal
        return BackingService(
            name=backing.name,
            kind=backing.kind,
            version=backing.version or VERSIONS[backing.kind],
            image=backing.image,
            storage=backing.storage,
            cpu=backing.cpu,
            memory=backing.memory,
            root_password=seal(self._root(backing)),
            accounts={client: seal(self._password(backing, client)) for client in sorted(clients)},
            backup=backing.backup,
            turns={client: turn for client in sorted(clients) if (turn := self._turn(backing, client)) > 1},
        )

    def value(
        self, backing: Backing, client: ServiceName, name: str, *, reveal: Reveal, given: Given
    ) -> Value:
        """What `${backing.NAME.<name>}` is for a client."""
        fields = (*FIELDS, "region") if backing.kind == "s3" else FIELDS
        if name not in fields:
            raise BadReference((f"a backing service has no {name}", nearest(name, fields)))
        if name == "url" and backing.kind == "s3":
            return _value(_endpoint(self._plain(backing, client)))
        if name == "url":
            return _value(self._url(backing, client, reveal, given), secret=self._has_password(backing))
        if name == "password":
            return self._password_value(backing, client, given)
        return _value(self._plain(backing, client)[name])

    def _plain(self, backing: Backing, client: ServiceName) -> dict[str, str | int]:
        return _plain(backing, client, self._turn(backing, client))

    def _turn(self, backing: Backing, client: ServiceName) -> int:
        known = self._known(backing)
        return known.turn(client) if known else 1

    def _known(self, backing: Backing) -> BackingService | None:
        known = self.known.get(backing.name)
        return known if known is not None and known.kind == backing.kind else None

    def _url(self, backing: Backing, client: ServiceName, reveal: Reveal, given: Given) -> str:
        facts = self._plain(backing, client)
        user = (
            ""
            if backing.kind == "redis" and not _external_user(backing)
            else quote(str(facts["user"]), safe="")
        )
        if self._has_password(backing):
            password = self._password_value(backing, client, given).data
            text = reveal(password) if isinstance(password, Sealed) else str(password)
            user += f":{quote(text, safe='')}"
        account = f"{user}@" if user else ""
        return (
            f"{SCHEMES[backing.kind]}://{account}{_bracketed(facts['host'])}:{facts['port']}/{facts['name']}"
        )

    def _has_password(self, backing: Backing) -> bool:
        return backing.external is None or backing.external.password_key is not None

    def _password_value(self, backing: Backing, client: ServiceName, given: Given) -> Value:
        if backing.external is None:
            return _value(self._password(backing, client), secret=True)
        key = backing.external.password_key
        if key is None:
            raise BadReference((f"{backing.name} has no password", "name its `password_key:` in ecluse.yaml"))
        if encrypted := given(key):
            return encrypted
        found = self.secrets.lookup(self.environment, client, key)
        if found is None:
            hint = "encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"
            raise BadReference((f"nobody gives the secret {key}, the password of {backing.name}", hint))
        data = found[0] if isinstance(found[0], Sealed) else found[0].reveal()
        return Value(data, secret=True, characters=100)

    def _root(self, backing: Backing) -> str:
        known = self._known(backing)
        kept = self._kept(known.root_password) if known else None
        return self._derived(backing.name, "root") if kept is None else kept

    def _password(self, backing: Backing, client: ServiceName) -> str:
        """One that counts already stays until it is rotated, whatever key it followed from."""
        known = self._known(backing)
        kept = self._kept(known.accounts[client]) if known and client in known.accounts else None
        return self._derived(backing.name, client, self._turn(backing, client)) if kept is None else kept

    def _kept(self, text: Text) -> str | None:
        """None where only another state can tell it."""
        if not isinstance(text, Sealed):
            return text
        with suppress(SecretUnavailable):
            return self.vault.reveal(text)
        return None

    def _derived(self, backing: str, account: str, turn: int = 1) -> str:
        known = self._passwords.get((backing, account))
        if known is None:
            known = self.vault.derive(password_purpose(self.environment, backing, account, turn))
            self._passwords[backing, account] = known
        return known


def external_address(backing: Backing) -> str | None:
    """Where a backing service that we do not run is."""
    if backing.external is None:
        return None
    if backing.kind == "s3":
        return _endpoint({"host": backing.external.host, "port": backing.external.port})
    return f"{SCHEMES[backing.kind]}://{_bracketed(backing.external.host)}:{backing.external.port}"


def _plain(backing: Backing, client: ServiceName, turn: int) -> dict[str, str | int]:
    external = backing.external or External(backing.name, PORTS[backing.kind])
    is_redis, is_s3 = backing.kind == "redis", backing.kind == "s3"
    own = bucket_name(client) if is_s3 else client.replace("-", "_")
    return {
        "host": external.host,
        "port": external.port,
        "user": external.user or ("default" if is_redis else login_name(backing.kind, client, turn)),
        "name": external.name or ("0" if is_redis else own),
        "region": external.region or REGION,
    }


def _endpoint(facts: Mapping[str, str | int]) -> str:
    """The address of an S3 store, without bucket and keys: clients want those apart (path style)."""
    host, port = _bracketed(facts["host"]), facts["port"]
    return f"https://{host}" if port == 443 else f"http://{host}:{port}"


def _external_user(backing: Backing) -> str | None:
    return backing.external.user if backing.external else None


def _bracketed(host: str | int) -> str:
    return f"[{host}]" if ":" in str(host) else str(host)


def _value(data: str | int, *, secret: bool = False) -> Value:
    return Value(data, secret, characters=len(str(data)))
