"""What each kind of backing service is made of: image, files, commands, and what gives a client its account. Pure.

The house images follow the conventions of the official ones (`…_PASSWORD_FILE`, data folders, user names), so that
`image` in ecluse.yaml may name either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecluse.engines.docker.payloads import HOUSE_VERSIONS, HouseImage
from ecluse.model.application import BackingService, Passwords
from ecluse.model.names import ServiceName, bucket_name
from ecluse.model.product import BackingKind

SECRETS = "/etc/ecluse"
STORE = ("python3", "/opt/ecluse/copies.py")
_ALL = "~* &* +@all"
_ALL_OF_6_0 = "~* +@all"
"""Before 6.2, Redis knew no rights on channels."""


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


@dataclass(frozen=True, slots=True)
class Account:
    """A client's way in. login: who it says it is; other: who it said before, or will say next. former: the password
    of before, while it counts too."""

    name: str
    login: str
    other: str
    password: str
    former: str | None = None

    @property
    def passwords(self) -> tuple[str, ...]:
        return (self.password, self.former) if self.former else (self.password,)


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
    """The digest of what makes a new container necessary. A password never does."""
    return _digest([backing.kind, image, backing.cpu, backing.memory])


def is_made_so(mark: str | None, backing: BackingService, image: str) -> bool:
    """Is `mark` the digest of this? Also as earlier versions said it, with the fingerprint of the password."""
    root = backing.root_password
    earlier = [backing.kind, image, backing.cpu, backing.memory, str(root), getattr(root, "fingerprint", "")]
    return mark in (spec(backing, image), _digest(earlier))


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def passwords_in(kind: BackingKind, read: Mapping[str, bytes]) -> Passwords:
    """What the files of a container tell that are at `password_files`."""
    if kind == "s3":
        told = json.loads(read.get(f"{SECRETS}/accounts.json", b"") or "{}")
        return Passwords(None, {ServiceName(name): texts[0] for name, texts in told.items() if texts})
    return Passwords(read.get(f"{SECRETS}/root-password", b"").decode() or None)


def password_files(kind: BackingKind) -> tuple[str, ...]:
    """Redis keeps digests alone."""
    return () if kind == "redis" else (f"{SECRETS}/{'accounts.json' if kind == 's3' else 'root-password'}",)


def files(backing: BackingService, root: str, accounts: Sequence[Account]) -> dict[str, str]:
    """What the container must find inside: path → content, secret."""
    if backing.kind == "redis":
        return {f"{SECRETS}/redis.conf": redis_configuration(root, accounts, backing.version)}
    if backing.kind == "s3":
        return {f"{SECRETS}/accounts.json": json.dumps({one.name: one.passwords for one in accounts})}
    found = {f"{SECRETS}/root-password": root}
    if backing.kind == "mariadb":
        found[f"{SECRETS}/client.cnf"] = f'[client]\nuser=root\npassword="{_option(root)}"\n'
    return found


def statements(kind: BackingKind, root: str, accounts: Sequence[Account]) -> str:
    """What gives each client an account of its name and a database (see `database`), or a bucket. May be said any
    number of times."""
    if kind == "s3":
        return "".join(f"{one.name} {bucket_name(one.name)}\n" for one in accounts)
    if kind == "mariadb":
        return "".join(map(_mariadb, accounts)) + "SELECT 1;\n"
    own = f"ALTER ROLE postgres PASSWORD {_literal(root)};\n"
    return own + "".join(map(_postgresql, accounts))


def redis_configuration(root: str, accounts: Sequence[Account], version: str = "") -> str:
    """The default user accepts every client's password, for programs that know no user names; kept as digests."""
    users = [f"user {' '.join(words)}" for words in redis_users(root, accounts, version)]
    return "\n".join(["dir /data", "appendonly yes", "protected-mode no", *users, ""])


def redis_users(root: str, accounts: Sequence[Account], version: str = "") -> list[list[str]]:
    """The rules of each user, as `ACL SETUSER` takes them (Redis ACL, `#` and a SHA-256 is a password)."""
    rules = (_ALL_OF_6_0 if version.startswith("6.0") else _ALL).split()
    all_of_them = (root, *(text for one in accounts for text in one.passwords))
    users = [["default", "on", *dict.fromkeys(map(_mark, all_of_them)), *rules]]
    users += [[one.name, "on", *map(_mark, one.passwords), *rules] for one in accounts]
    return users


def _mark(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"


def database(client: str) -> str:
    """The name of a client's database: as `${backing.NAME.name}` says."""
    return client.replace("-", "_")


def _mariadb(account: Account) -> str:
    """Several ways to prove who one is may be given for a user (MariaDB 10.4, ALTER USER: authentication plugins)."""
    own = database(account.name)
    # in a grant `_` stands for any character (MariaDB, GRANT: database privileges)
    pattern = own.replace("_", "\\_")
    user = f"{_text(account.name)}@'%'"
    ways = [f"mysql_native_password USING PASSWORD({_text(text)})" for text in account.passwords]
    secret = " OR ".join(ways)
    return (
        f"CREATE DATABASE IF NOT EXISTS `{own}`;\n"
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED VIA {secret};\n"
        f"ALTER USER {user} IDENTIFIED VIA {secret};\n"
        f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO {user};\n"
    )


def _postgresql(account: Account) -> str:
    """The role that owns the database, and beside it one that acts as the owner: they take turns to log in."""
    name, own = account.name, database(account.name)
    beside = next(login for login in (account.login, account.other) if login != name)
    return (
        _role(name)
        + _role(beside)
        + f'GRANT "{name}" TO "{beside}";\n'
        + f"ALTER ROLE \"{beside}\" SET role = '{name}';\n"
        + f'ALTER ROLE "{account.login}" LOGIN PASSWORD {_literal(account.password)};\n'
        + (
            f'ALTER ROLE "{account.other}" LOGIN PASSWORD {_literal(account.former)};\n'
            if account.former
            else f'ALTER ROLE "{account.other}" NOLOGIN PASSWORD NULL;\n'
        )
        + _own_database(own, name)
    )


def _role(name: str) -> str:
    return (
        f"SELECT 'CREATE ROLE \"{name}\"' WHERE NOT EXISTS "
        f"(SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n"
    )


def _own_database(own: str, name: str) -> str:
    return (
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
