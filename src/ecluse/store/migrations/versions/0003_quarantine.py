"""Releases that are kept out of an environment; where and on what an environment was last deployed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quarantine",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("content", sa.String(80), primary_key=True),
        sa.Column("version", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("deployment", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.add_column("environments", sa.Column("circumstances", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("environments", "circumstances")
    op.drop_table("quarantine")
