"""Connections to MariaDB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from payroll.errors import Unavailable


def parameters(url: str) -> dict[str, Any]:
    """The parts of mysql://user:password@host:port/name."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
    }


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    """Commit at the end, roll back on an exception. Raise Unavailable when nobody answers."""
    try:
        db = pymysql.connect(**parameters(url), charset="utf8mb4", connect_timeout=3, cursorclass=DictCursor)
    except pymysql.err.OperationalError as error:
        raise Unavailable("the database does not answer") from error
    with db:
        yield db
        db.commit()


def await_database(url: str, *, seconds: float) -> None:
    """A release task may start before the database listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with connection(url):
                return
        except Unavailable:
            if time.monotonic() >= deadline:
                raise
        time.sleep(1)
