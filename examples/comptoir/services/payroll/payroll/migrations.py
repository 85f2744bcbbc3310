"""The release task: numbered SQL files, each applied once.

MariaDB commits each DDL statement, so a file must bear being run again.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from pymysql.connections import Connection

from payroll.database import await_database, connection
from payroll.errors import Unavailable
from payroll.settings import settings_from

FOLDER = Path(__file__).parent.parent / "migrations"
# The lock's name is global to the database server.
LOCK = "CONCAT('migrate:', DATABASE())"


def statements(sql: str) -> list[str]:
    without_comments = re.sub(r"^--.*\n", "", sql, flags=re.MULTILINE)
    return [part for part in re.split(r";\s*(?:\n|$)", without_comments) if part.strip()]


def migrate(db: Connection, folder: Path) -> list[str]:
    """Apply the files that are new and return their names."""
    with db.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK({LOCK}, 60) AS locked")
        if cursor.fetchone()["locked"] != 1:
            raise Unavailable("another migration has been running for a minute")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "name VARCHAR(100) PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
        )
        cursor.execute("SELECT name FROM schema_migrations")
        applied = {row["name"] for row in cursor.fetchall()}
        pending = [file for file in sorted(folder.glob("*.sql")) if file.name not in applied]
        for file in pending:
            for statement in statements(file.read_text(encoding="utf-8")):
                cursor.execute(statement)
            cursor.execute("INSERT INTO schema_migrations (name) VALUES (%s)", [file.name])
            db.commit()
        cursor.execute(f"DO RELEASE_LOCK({LOCK})")
    return [file.name for file in pending]


def main() -> None:
    try:
        url = settings_from(os.environ).database_url
        await_database(url, seconds=30)
        with connection(url) as db:
            applied = migrate(db, FOLDER)
    except (Unavailable, LookupError) as error:
        sys.exit(f"migrate: {error}")
    print("migrate:", ", ".join(applied) or "nothing to do")


if __name__ == "__main__":
    main()
