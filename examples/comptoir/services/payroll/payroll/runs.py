"""Employees and payroll runs in the database."""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection

from payroll.slips import Employee, Slip


def employees(db: Connection) -> list[Employee]:
    with db.cursor() as cursor:
        cursor.execute("SELECT code, job, salary_cents FROM employees ORDER BY code")
        return [Employee(**row) for row in cursor.fetchall()]


def runs(db: Connection) -> list[dict[str, Any]]:
    """Newest month first."""
    with db.cursor() as cursor:
        cursor.execute("SELECT month, slips, gross_cents, contribution_cents FROM runs ORDER BY month DESC")
        return list(cursor.fetchall())


def record(db: Connection, month: str, slips: list[Slip]) -> bool:
    """Whether the run is new: a month is paid once."""
    totals = (sum(slip.gross_cents for slip in slips), sum(slip.contribution_cents for slip in slips))
    with db.cursor() as cursor:
        added = cursor.execute(
            "INSERT INTO runs (month, slips, gross_cents, contribution_cents) VALUES (%s, %s, %s, %s) "
            "ON DUPLICATE KEY UPDATE month = month",
            (month, len(slips), *totals),
        )
    return added == 1
