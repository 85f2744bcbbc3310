"""The database of a product: opens it, and brings its tables to the form that this version expects."""

from __future__ import annotations

from fcntl import LOCK_EX, flock
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ecluse.errors import EcluseError
from ecluse.store.schema import metadata

HEAD = "0003"
BUSY_MILLISECONDS = 15000


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
        raise EcluseError(
            f"cannot open the record {state / 'state.sqlite'}: {_first_line(error)}",
            hint="is the disk full, or the file damaged? `ecluse doctor` looks",
        ) from error
    return engine


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
    try:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    except SQLAlchemyError:
        return None


def _upgrade(connection: Connection) -> None:
    """Imported here: Alembic is needed once in the life of a version, and costs every start otherwise."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]
