"""Releases are kept out by the form of their service.yaml too, and where it is in doubt by their configuration."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = "environment, service, content, version, reason, deployment, at"


def upgrade() -> None:
    _again(
        sa.Column("form", sa.String(16), primary_key=True, server_default=""),
        sa.Column("configuration", sa.String(16), primary_key=True, server_default=""),
    )


def downgrade() -> None:
    _again()


def _again(*more: sa.Column[str]) -> None:
    """The table with another key: SQLite changes none in place."""
    op.rename_table("quarantine", "quarantine_before")
    op.create_table(
        "quarantine",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("content", sa.String(80), primary_key=True),
        *more,
        sa.Column("version", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("deployment", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.execute(
        f"INSERT OR IGNORE INTO quarantine ({COLUMNS}) SELECT {COLUMNS} FROM quarantine_before ORDER BY at"
    )
    op.drop_table("quarantine_before")
