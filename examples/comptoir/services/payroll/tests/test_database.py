"""Addresses and SQL files."""

from payroll.database import parameters
from payroll.migrations import FOLDER, statements


def test_a_database_address_is_taken_apart():
    assert parameters("mysql://user:p%40ss%2Fword@db/payroll") == {
        "host": "db",
        "port": 3306,
        "user": "user",
        "password": "p@ss/word",
        "database": "payroll",
    }


def test_a_file_is_split_into_statements_without_its_comments():
    assert statements("-- why\nSELECT 1;\nSELECT 2;\n") == ["SELECT 1", "SELECT 2"]


def test_every_migration_has_a_statement():
    assert all(statements(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.sql"))
