"""The first form of the record."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deployments",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(128), nullable=False),
        sa.Column("requested_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index("deployments_by_environment", "deployments", ["environment", "number"])
    op.create_index("deployments_by_state", "deployments", ["state"])
    op.create_table(
        "events",
        sa.Column("deployment", sa.Integer, sa.ForeignKey("deployments.number"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
    )
    op.create_table(
        "known_good",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("deployment", sa.Integer, primary_key=True),
        sa.Column("application", sa.Text),
    )
    op.create_table(
        "environments",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("deployment", sa.Integer, primary_key=True),
        sa.Column("revision", sa.String(80), nullable=False),
        sa.Column("backing", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("task", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("deployment", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("reversible", sa.Boolean, nullable=False),
        sa.Column("succeeded", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    for table in ("ledger", "environments", "known_good", "events", "deployments"):
        op.drop_table(table)
