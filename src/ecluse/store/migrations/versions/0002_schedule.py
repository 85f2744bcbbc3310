"""What the runner remembers of the schedule, and which commands a deployment runs."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deployments", sa.Column("commands", sa.Text, nullable=False, server_default=""))
    op.create_index("deployments_by_command", "deployments", ["environment", "commands", "number"])
    _fill_commands(op.get_bind())
    op.create_table(
        "cron_marks",
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("cron", sa.String(64), primary_key=True),
        sa.Column("rule", sa.String(255), nullable=False),
        sa.Column("looked_at", sa.Float, nullable=False),
    )
    op.create_table(
        "cron_omissions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("cron", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("since", sa.Float),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("cron_omissions_by_cron", "cron_omissions", ["environment", "service", "cron", "number"])


def _fill_commands(connection: sa.Connection) -> None:
    """Commands that ran on their own before are found again by name."""
    table = sa.table(
        "deployments", sa.column("number"), sa.column("kind"), sa.column("intent"), sa.column("commands")
    )
    for row in connection.execute(
        sa.select(table.c.number, table.c.intent).where(table.c.kind == "run")
    ).all():
        changes = json.loads(row.intent)["plan"]["changes"]
        commands = "".join(f"{change['subject']} " for change in changes)
        connection.execute(
            sa.update(table).where(table.c.number == row.number).values(commands=f" {commands}")
        )


def downgrade() -> None:
    for table in ("cron_omissions", "cron_marks"):
        op.drop_table(table)
    op.drop_index("deployments_by_command", "deployments")
    op.drop_column("deployments", "commands")
