"""Which services of a Compose file are databases that Écluse runs itself, and how values speak of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ecluse.importers.compose.read import Value, mapping, pairs

KINDS: Mapping[str, str] = {
    "mariadb": "mariadb", "mysql": "mariadb", "percona": "mariadb",
    "postgres": "postgresql", "postgresql": "postgresql", "postgis": "postgresql", "timescaledb": "postgresql",
    "redis": "redis", "valkey": "redis", "keydb": "redis",
}  # fmt: skip
_PORTS = {"mariadb": "3306", "postgresql": "5432", "redis": "6379"}
_SCHEMES = {
    "mariadb": ("mysql", "mariadb", "mysql2"), "postgresql": ("postgresql", "postgres", "pgsql"), "redis": ("redis",),
}  # fmt: skip
_USER = ("MYSQL_USER", "MARIADB_USER", "POSTGRES_USER")
_PASSWORD = ("MYSQL_PASSWORD", "MARIADB_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD")
_NAME = ("MYSQL_DATABASE", "MARIADB_DATABASE", "POSTGRES_DB")
_HOST_KEY = re.compile(r"(.*?)_?(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)")


@dataclass(frozen=True, slots=True)
class Backing:
    """A database. user, password, database: the account that the Compose file makes in it."""

    name: str
    kind: str
    image: str
    hosts: frozenset[str]
    user: str | None = None
    password: str | None = None
    database: str | None = None


def backing_of(name: str, ours: str, service: Mapping[str, Value]) -> Backing | None:
    """The backing service that a service is, or None. `ours`: its name here."""
    image = service.get("image")
    if not isinstance(image, str) or service.get("build"):
        return None
    stem = image.split("@")[0].rpartition("/")[2].split(":")[0].lower()
    kind = KINDS.get(stem)
    if kind is None:
        return None
    environment = pairs(service.get("environment"))
    hosts = {
        name,
        str(service.get("container_name") or name),
        str(service.get("hostname") or name),
        *_aliases(service),
    }

    def given(names: tuple[str, ...]) -> str | None:
        return next((value for one in names if (value := environment.get(one))), None)

    return Backing(ours, kind, image, frozenset(hosts), given(_USER), given(_PASSWORD), given(_NAME))


def _aliases(service: Mapping[str, Value]) -> list[str]:
    found: list[str] = []
    for network in mapping(service.get("networks")).values():
        aliases = mapping(network).get("aliases")
        found += [one for one in aliases if isinstance(one, str)] if isinstance(aliases, list) else []
    return found


def spoken(values: Mapping[str, str], backings: Mapping[str, Backing]) -> dict[str, tuple[str, Backing]]:
    """Keys whose value names a backing service or its account → the reference that stands for it here."""
    result: dict[str, tuple[str, Backing]] = {}
    for key, value in values.items():
        if found := _address(value, backings):
            result[key] = found
    for key, value in values.items():
        host = _HOST_KEY.fullmatch(key)
        backing = backings.get(value)
        if host and backing:
            result[key] = (f"${{backing.{backing.name}.host}}", backing)
            for other, reference in _account(host[1], values, backing):
                result[other] = (reference, backing)
    return result


def _address(value: str, backings: Mapping[str, Backing]) -> tuple[str, Backing] | None:
    """`mysql://user:password@db:3306/app` → the whole address as ours."""
    try:
        parts = urlsplit(value)
        backing = backings.get(parts.hostname or "")
        port = parts.port
    except ValueError:
        return None
    if not backing or parts.scheme not in _SCHEMES[backing.kind] or parts.query or parts.fragment:
        return None
    if port not in (None, int(_PORTS[backing.kind])):
        return None
    if parts.username and backing.user and unquote(parts.username) != backing.user:
        return None
    return f"${{backing.{backing.name}.url}}", backing


def _account(prefix: str, values: Mapping[str, str], backing: Backing) -> list[tuple[str, str]]:
    """The keys beside a host: DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, when they are those of that database."""
    facts = (
        (("PORT",), "port", _PORTS[backing.kind]),
        (("USER", "USERNAME"), "user", backing.user),
        (("PASSWORD", "PASS", "PASSWD", "PWD"), "password", backing.password),
        (("NAME", "DATABASE", "DBNAME", "DB", "SCHEMA"), "name", backing.database),
    )
    found = []
    for words, reference, expected in facts:
        for word in words:
            key = f"{prefix}_{word}" if prefix else word
            if expected is not None and values.get(key) == expected:
                found.append((key, f"${{backing.{backing.name}.{reference}}}"))
    return found
