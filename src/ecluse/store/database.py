"""The database of a product: opens it, and brings its tables to the form that this version expects."""

from __future__ import annotations

import os
from fcntl import LOCK_EX, flock
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ecluse.errors import CutShort, EcluseError, RecordDamaged, Refused
from ecluse.store.access import damaged, is_foreign, unusable
from ecluse.store.schema import leases, metadata

HEAD = "0006"
BUSY_MILLISECONDS = 15000
ROOM = 1 << 20
"""How much must be free before work goes on where the disk was full."""


def sqlite_path(state: Path) -> Path:
    return state / "state.sqlite"


def sqlite_url(state: Path) -> str:
    return f"sqlite:///{sqlite_path(state)}"


def open_memory() -> Engine:
    """An empty database that is forgotten: what a reading command sees before the first deployment."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    return engine


def open_database(state: Path) -> Engine:
    """An engine on the product's database, made and migrated when needed."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_engine(sqlite_url(state))
        event.listen(engine, "connect", _set_pragmas)
        _migrate(engine, state)
    except OSError as error:
        raise EcluseError(
            f"cannot write the state directory {state}: {error.strerror}",
            hint="run as root or as its owner, or name another with ECLUSE_STATE",
        ) from error
    except SQLAlchemyError as error:
        raise unusable(error, str(sqlite_path(state))) from error
    return engine


def check_whole(state: Path) -> None:
    """RecordDamaged when the file is not whole, after a power cut for example. SQLite recovers what it committed
    (sqlite.org/wal.html) and finds here what it cannot."""
    path = sqlite_path(state)
    if not path.exists():
        return
    engine = create_engine(sqlite_url(state))
    try:
        with engine.connect() as connection:
            answer = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    except SQLAlchemyError as error:
        raise unusable(error, str(path)) from error
    finally:
        engine.dispose()
    if answer != "ok":
        raise damaged(str(path), answer.splitlines()[-1])


def is_usable(state: Path) -> bool:
    """Can the record be written, with room for more? RecordDamaged when it never will."""
    probe = state / f".room.{os.getpid()}"
    try:
        probe.write_bytes(bytes(ROOM))
        engine = open_database(state)
        try:
            with engine.begin() as connection:
                connection.execute(update(leases).values(name=leases.c.name))
        finally:
            engine.dispose()
    except RecordDamaged:
        raise
    except Exception as error:
        if isinstance(error, OSError | CutShort) or is_foreign(error):
            return False
        raise
    finally:
        probe.unlink(missing_ok=True)
    return True


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_MILLISECONDS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine, state: Path) -> None:
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with (state / "migration.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        with engine.begin() as connection:
            if _version(connection) != HEAD:
                _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    if found > HEAD:
        raise Refused(
            f"the record was written by a newer version of Écluse (its form is {found}, this one knows {HEAD})",
            hint="install that version here too",
        )
    return found


def _upgrade(connection: Connection) -> None:
    """Imported here: Alembic is needed once in the life of a version, and costs every start otherwise."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
