"""How the record is read and written: one transaction each, foreign errors told apart, and the token of a lease
checked in the transaction that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from ecluse.errors import CutShort, RecordDamaged
from ecluse.model.lease import Lease
from ecluse.store.schema import leases

RUNNER = "runner"
_DAMAGED = ("malformed", "not a database", "disk image")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    with _told(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, lease: Lease | None = None) -> Iterator[Connection]:
    """With a lease: CutShort when it is another runner's now, and nothing is written."""
    with _told(engine), engine.begin() as connection:
        if lease is not None:
            check(connection, lease)
        yield connection


def check(connection: Connection, lease: Lease) -> None:
    """A write, so that who comes after us waits for our end, and finds what we wrote."""
    mine = (leases.c.name == RUNNER) & (leases.c.token == lease.token)
    if connection.execute(update(leases).where(mine).values(token=lease.token)).rowcount != 1:
        raise CutShort(f"another runner has taken over from {lease.holder}")


class Watch:
    """Notices that others have written, on a connection of its own, by SQLite's count of what others committed
    (PRAGMA data_version): no page is read for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def stamp(self) -> int:
        if self._engine.url.database is None:  # in memory: there are no others
            return 0
        with _told(self._engine):
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            return int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        raise unusable(error, str(engine.url.database)) from error


def unusable(error: Exception, path: str) -> CutShort:
    """What a database error means to people."""
    reason = first_line(error)
    if any(word in reason for word in _DAMAGED):
        return damaged(path, reason)
    return CutShort(
        f"the record {path} cannot be used now: {reason}",
        hint="is the disk full, or does another program hold the file? What is in hand goes on by itself then",
    )


def damaged(path: str, reason: str) -> RecordDamaged:
    return RecordDamaged(
        f"the record {path} is damaged: {reason}",
        hint=f"what runs goes on. Put a copy of the file back, or `mv {path} {path}.damaged` and take over what "
        "runs with `ecluse adopt ENV`; what was deployed before is not on record then",
    )


def first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def is_foreign(error: BaseException) -> bool:
    """Is it an error of the database, from code that is not ours?"""
    return isinstance(error, SQLAlchemyError | sqlite3.Error)
