"""What each kind of backing service is made of: image, files, commands, and what gives a client its account. Pure.

The house images follow the conventions of the official ones (`…_PASSWORD_FILE`, data folders, user names), so that
`image` in ecluse.yaml may name either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.engines.docker.payloads import HOUSE_VERSIONS, HouseImage
from ecluse.model.application import BackingService
from ecluse.model.names import bucket_name
from ecluse.model.product import BackingKind

SECRETS = "/etc/ecluse"
STORE = ("python3", "/opt/ecluse/copies.py")
_ALL = "~* &* +@all"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind runs. user: who it runs as inside; `admin`: the command that reads statements on its input."""

    image: HouseImage
    user: str
    port: int
    data: str
    env: Mapping[str, str]
    command: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()


RECIPES: Mapping[BackingKind, Recipe] = {
    "mariadb": Recipe(
        "mariadb",
        "mysql",
        3306,
        "/var/lib/mysql",
        {"MARIADB_ROOT_PASSWORD_FILE": f"{SECRETS}/root-password"},
        admin=("mariadb", f"--defaults-extra-file={SECRETS}/client.cnf", "--batch"),
    ),
    "postgresql": Recipe(
        "postgresql",
        "postgres",
        5432,
        "/var/lib/postgresql/data",
        {"POSTGRES_PASSWORD_FILE": f"{SECRETS}/root-password"},
        admin=("psql", "--username=postgres", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"),
    ),
    "redis": Recipe("redis", "redis", 6379, "/data", {}, command=("redis-server", f"{SECRETS}/redis.conf")),
    "s3": Recipe("s3", "swift", 8080, "/srv/node/store", {}, admin=(*STORE, "give")),
}


def version_problem(backing: BackingService) -> str | None:
    """Why the house image cannot give what is asked for, or None."""
    offered = HOUSE_VERSIONS[RECIPES[backing.kind].image]
    if backing.image or any(_is_within(version, backing.version) for version in offered):
        return None
    return f"{backing.name}: {backing.kind} {backing.version} is not available here"


def available() -> str:
    return ", ".join(
        f"{kind} {' or '.join(HOUSE_VERSIONS[recipe.image])}" for kind, recipe in sorted(RECIPES.items())
    )


def spec(backing: BackingService, image: str) -> str:
    """The digest of what makes a new container necessary."""
    facts = [backing.kind, image, backing.cpu, backing.memory, str(backing.root_password)]
    facts.append(getattr(backing.root_password, "fingerprint", ""))
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def files(backing: BackingService, root: str, accounts: Mapping[str, str]) -> dict[str, str]:
    """What the container must find inside: path → content, secret."""
    if backing.kind == "redis":
        return {f"{SECRETS}/redis.conf": redis_configuration(root, accounts)}
    if backing.kind == "s3":
        return {f"{SECRETS}/accounts.json": json.dumps({name: [key] for name, key in accounts.items()})}
    found = {f"{SECRETS}/root-password": root}
    if backing.kind == "mariadb":
        found[f"{SECRETS}/client.cnf"] = f'[client]\nuser=root\npassword="{_option(root)}"\n'
    return found


def statements(kind: BackingKind, root: str, accounts: Mapping[str, str]) -> str:
    """What gives each client an account of its name and a database (see `database`), or a bucket. May be said any
    number of times."""
    if kind == "s3":
        return "".join(f"{name} {bucket_name(name)}\n" for name in sorted(accounts))
    if kind == "mariadb":
        return (
            "".join(_mariadb(name, password) for name, password in sorted(accounts.items())) + "SELECT 1;\n"
        )
    own = f"ALTER ROLE postgres PASSWORD {_literal(root)};\n"
    return own + "".join(_postgresql(name, password) for name, password in sorted(accounts.items()))


def redis_configuration(root: str, accounts: Mapping[str, str]) -> str:
    """The default user accepts every client's password, for programs that know no user names; kept as digests."""
    users = [f"user {' '.join(words)}" for words in redis_users(root, accounts)]
    return "\n".join(["dir /data", "appendonly yes", "protected-mode no", *users, ""])


def redis_users(root: str, accounts: Mapping[str, str]) -> list[list[str]]:
    """The rules of each user, as `ACL SETUSER` takes them (Redis ACL, `#` and a SHA-256 is a password)."""
    marks = [f"#{hashlib.sha256(text.encode()).hexdigest()}" for text in (root, *accounts.values())]
    rules = _ALL.split()
    users = [["default", "on", *dict.fromkeys(marks), *rules]]
    for name, mark in zip(accounts, marks[1:], strict=True):
        users.append([name, "on", mark, *rules])
    return users


def database(client: str) -> str:
    """The name of a client's database: as `${backing.NAME.name}` says."""
    return client.replace("-", "_")


def _mariadb(name: str, password: str) -> str:
    own = database(name)
    # in a grant `_` stands for any character (MariaDB, GRANT: database privileges)
    pattern = own.replace("_", "\\_")
    user = f"{_text(name)}@'%'"
    secret = _text(password)
    return (
        f"CREATE DATABASE IF NOT EXISTS `{own}`;\n"
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY {secret};\n"
        f"ALTER USER {user} IDENTIFIED BY {secret};\n"
        f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO {user};\n"
    )


def _postgresql(name: str, password: str) -> str:
    own = database(name)
    return (
        f"SELECT 'CREATE ROLE \"{name}\" LOGIN' WHERE NOT EXISTS "
        f"(SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n"
        f'ALTER ROLE "{name}" LOGIN PASSWORD {_literal(password)};\n'
        f'SELECT \'CREATE DATABASE "{own}" OWNER "{name}"\' WHERE NOT EXISTS '
        f"(SELECT FROM pg_database WHERE datname = '{own}') \\gexec\n"
        f'REVOKE ALL ON DATABASE "{own}" FROM PUBLIC;\n'
    )


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def _option(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _is_within(offered: str, asked: str) -> bool:
    return f"{offered}.".startswith(f"{asked}.")
