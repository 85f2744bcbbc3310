"""What stands behind an environment, step by step: more than one of a deployment, in the order of their making."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = "environment, deployment, revision, backing, circumstances"


def upgrade() -> None:
    op.rename_table("environments", "environments_before")
    op.create_table(
        "environments",
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("deployment", sa.Integer, nullable=False),
        sa.Column("revision", sa.String(80), nullable=False),
        sa.Column("backing", sa.Text, nullable=False),
        sa.Column("circumstances", sa.Text, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("environments_by_deployment", "environments", ["environment", "deployment"])
    op.execute(
        f"INSERT INTO environments ({COLUMNS}) SELECT {COLUMNS} FROM environments_before ORDER BY deployment"
    )
    op.drop_table("environments_before")


def downgrade() -> None:
    op.rename_table("environments", "environments_after")
    op.create_table(
        "environments",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("deployment", sa.Integer, primary_key=True),
        sa.Column("revision", sa.String(80), nullable=False),
        sa.Column("backing", sa.Text, nullable=False),
        sa.Column("circumstances", sa.Text, nullable=False, server_default=""),
    )
    newest = "SELECT max(step) FROM environments_after GROUP BY environment, deployment"
    op.execute(
        f"INSERT INTO environments ({COLUMNS}) SELECT {COLUMNS} FROM environments_after WHERE step IN ({newest})"
    )
    op.drop_table("environments_after")
