"""What is said to a database to copy its data, to bring it back and to count it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecluse.engines.docker.backing.databases import SECRETS, STORE
from ecluse.model.product import BackingKind

WHOLE = "data"
"""What the one part of a redis is called: it has no databases of a name."""
RESTORING = ".restoring"
_CLIENT = f"--defaults-extra-file={SECRETS}/client.cnf"
_PSQL = ("psql", "--username=postgres", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
# the password arrives as the first line of the input: an argument is there for everybody to read
_REDIS_CLI = "IFS= read -r REDISCLI_AUTH; export REDISCLI_AUTH; exec redis-cli --no-auth-warning"
_LOCK_SECONDS = 60
_DATA = "/data"


def is_up(kind: BackingKind) -> tuple[str, ...]:
    """The command that succeeds once the server takes connections, asked from inside its container."""
    match kind:
        case "mariadb":
            return ("mariadb-admin", _CLIENT, "--protocol=tcp", "--host=127.0.0.1", "ping")
        case "postgresql":
            return ("pg_isready", "--quiet", "--host=127.0.0.1")
        case "s3":
            return (*STORE, "up")
        case _:
            # an error is an answer too, and an exit code of 0: it loads still
            return ("sh", "-c", f"{_REDIS_CLI} PING | grep -q PONG")


def list_databases(kind: BackingKind) -> tuple[str, ...]:
    """The command that writes the name of each database (or account) that holds data of clients, one a line."""
    if kind == "s3":
        return (*STORE, "list")
    if kind == "mariadb":
        query = (
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN "
            "('information_schema', 'performance_schema', 'mysql', 'sys') ORDER BY 1"
        )
        return ("mariadb", _CLIENT, "--batch", "--skip-column-names", f"--execute={query}")
    query = (
        "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' "
        f"AND datname NOT LIKE '%{RESTORING}' ORDER BY 1"
    )
    return (*_PSQL, "--tuples-only", "--no-align", f"--command={query}")


def dump(kind: BackingKind, database: str) -> tuple[str, ...]:
    """The command that writes the data to its standard output."""
    match kind:
        case "mariadb":
            options = (
                "--single-transaction",
                "--quick",
                "--routines",
                "--triggers",
                "--events",
                "--hex-blob",
            )
            kept = ("--default-character-set=utf8mb4", "--skip-dump-date", "--add-drop-database")
            return ("mariadb-dump", _CLIENT, *options, *kept, "--databases", database)
        case "postgresql":
            return ("pg_dump", "--username=postgres", "--format=custom", f"--dbname={_connection(database)}")
        case "s3":
            return (*STORE, "dump", database)
        case _:
            # into a file first: what comes in a stream ends with a mark that is not part of the data
            path = f"{_DATA}/copying.rdb"
            taken = f"{_REDIS_CLI.replace('exec ', '')} --rdb {path} >&2 && cat {path}"
            return ("sh", "-c", f"umask 077; trap 'rm -f {path}' EXIT; {taken}")


def load_mariadb() -> tuple[str, ...]:
    """Drops and makes the database again: the copy says which. Fails rather than wait long for a client's lock."""
    patience = f"--init-command=SET SESSION lock_wait_timeout={_LOCK_SECONDS}"
    return ("mariadb", _CLIENT, "--batch", "--default-character-set=utf8mb4", patience)


def load_s3(account: str) -> tuple[str, ...]:
    """Object by object, over what is there; what the copy does not hold goes last."""
    return (*STORE, "load", account)


def prepare_postgresql(database: str) -> str:
    """SQL for a database beside the one that is used, of the same owner."""
    new = _name(database + RESTORING)
    owner = (
        "coalesce((SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = "
        f"{_text(database)}), 'postgres')"
    )
    return (
        f"DROP DATABASE IF EXISTS {new} WITH (FORCE);\n"
        f"SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', {_text(database + RESTORING)}, {owner})"
        " \\gexec\n"
        f"REVOKE ALL ON DATABASE {new} FROM PUBLIC;\n"
    )


def unlock_postgresql(database: str) -> str:
    """SQL that lets clients in again, where putting the new one in its place failed."""
    return f"ALTER DATABASE {_name(database)} ALLOW_CONNECTIONS true;\n"


def owner_of(database: str) -> tuple[str, ...]:
    query = f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = {_text(database)}"
    return (*_PSQL, "--tuples-only", "--no-align", f"--command={query}")


def load_postgresql(database: str, owner: str) -> tuple[str, ...]:
    """All or nothing, into the new database; what is in it belongs to `owner`."""
    whole = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    there = _connection(database + RESTORING)
    return ("pg_restore", "--username=postgres", *whole, f"--role={owner}", f"--dbname={there}")


def swap_postgresql(database: str) -> str:
    """SQL that puts the new database in the place of the old one in one transaction, then drops the old one."""
    used, new, old = (_name(name) for name in (database, database + RESTORING, f"{database}.old{RESTORING}"))
    return (
        f"DROP DATABASE IF EXISTS {old} WITH (FORCE);\n"
        f"SELECT EXISTS (SELECT FROM pg_database WHERE datname = {_text(database)}) AS there \\gset\n"
        "\\if :there\n"
        f"ALTER DATABASE {used} ALLOW_CONNECTIONS false;\n"
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {_text(database)} \\g /dev/null\n"
        "SELECT pg_sleep(0.3) \\g /dev/null\n"
        "BEGIN;\n"
        f"ALTER DATABASE {used} RENAME TO {old};\n"
        f"ALTER DATABASE {new} RENAME TO {used};\n"
        "COMMIT;\n"
        f"DROP DATABASE {old} WITH (FORCE);\n"
        "\\else\n"
        f"ALTER DATABASE {new} RENAME TO {used};\n"
        "\\endif\n"
    )


def receive_redis() -> tuple[str, ...]:
    """Takes the copy from its input, and looks whether it is whole, before anything is touched."""
    path = f"{_DATA}/restoring.rdb"
    return ("sh", "-c", f"umask 077; cat > {path} && redis-check-rdb {path} >&2")


def quiet_redis() -> tuple[str, ...]:
    """Nothing that is held now is to be written when it stops."""
    return ("sh", "-c", f"{_REDIS_CLI} -e")


QUIET = "CONFIG SET appendonly no\nCONFIG SET save ''\n"


def swap_redis() -> tuple[str, ...]:
    """A copy under the name of an append-only file is what redis begins with (Redis, persistence: RDB preamble)."""
    old = f"{_DATA}/appendonlydir {_DATA}/appendonly.aof {_DATA}/dump.rdb"
    return ("sh", "-c", f"rm -rf {old} && mv {_DATA}/restoring.rdb {_DATA}/appendonly.aof")


def count(kind: BackingKind, database: str) -> tuple[str, ...]:
    """The command that writes how many tables, keys or objects there are."""
    match kind:
        case "mariadb":
            query = f"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {_text(database)}"
            return ("mariadb", _CLIENT, "--batch", "--skip-column-names", f"--execute={query}")
        case "postgresql":
            query = (
                "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN "
                "('r', 'p') AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'"
            )
            where = f"--dbname={_connection(database)}"
            return (*_PSQL, "--tuples-only", "--no-align", where, f"--command={query}")
        case "s3":
            return (*STORE, "count", database)
        case _:
            return ("sh", "-c", f"{_REDIS_CLI} INFO keyspace")


def counted(kind: BackingKind, output: str) -> int:
    """What `count` wrote, as a number; for redis the keys of all of its databases together."""
    if kind != "redis":
        return int(output.strip())
    rows = [line.partition("keys=")[2].partition(",")[0] for line in output.splitlines()]
    return sum(int(row) for row in rows if row)


def what_is_counted(kind: BackingKind, counts: Mapping[str, int]) -> str:
    noun = {"redis": "keys", "s3": "objects"}.get(kind, "tables")
    return ", ".join(f"{number} {noun} in {name}" for name, number in sorted(counts.items())) or "nothing"


def needs_password(command: Sequence[str]) -> bool:
    """Whether the command reads the password as the first line of its input."""
    return any("REDISCLI_AUTH" in word for word in command)


def _connection(database: str) -> str:
    """A connection string, so that no name of a database is taken for something else (libpq, 34.1.1)."""
    escaped = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def _name(database: str) -> str:
    escaped = database.replace('"', '""')
    return f'"{escaped}"'


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
