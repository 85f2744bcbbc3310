"""The tables of the record. Changes go through store/migrations; names here and there must agree."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

deployments = Table(
    "deployments",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("environment", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("intent", Text, nullable=False),
    Column("cause", Text),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("commands", Text, nullable=False, server_default=""),
    Column("claims", Text, nullable=False, server_default=" * "),
    Index("deployments_by_environment", "environment", "number"),
    Index("deployments_by_state", "state"),
    Index("deployments_by_command", "environment", "commands", "number"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("deployment", Integer, ForeignKey("deployments.number"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("event", Text, nullable=False),
)

known_good = Table(
    "known_good",
    metadata,
    Column("environment", String(64), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("deployment", Integer, primary_key=True),
    Column("application", Text),
)

environments = Table(
    "environments",
    metadata,
    Column("step", Integer, primary_key=True, autoincrement=True),
    Column("environment", String(64), nullable=False),
    Column("deployment", Integer, nullable=False),
    Column("revision", String(80), nullable=False),
    Column("backing", Text, nullable=False),
    Column("circumstances", Text, nullable=False, server_default=""),
    Index("environments_by_deployment", "environment", "deployment"),
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    Column("environment", String(64), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("task", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("deployment", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("reversible", Boolean, nullable=False),
    Column("succeeded", Boolean, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("environment", String(64), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("content", String(80), primary_key=True),
    Column("form", String(16), primary_key=True, server_default=""),
    Column("configuration", String(16), primary_key=True, server_default=""),
    Column("version", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("deployment", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("token", Integer, nullable=False),
    Column("machine", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(32), nullable=False),
    Column("beat_at", Float, nullable=False),
)

cron_marks = Table(
    "cron_marks",
    metadata,
    Column("environment", String(64), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("cron", String(64), primary_key=True),
    Column("rule", String(255), nullable=False),
    Column("looked_at", Float, nullable=False),
)

cron_omissions = Table(
    "cron_omissions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("environment", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("cron", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("due", Float, nullable=False),
    Column("since", Float),
    Column("at", Float, nullable=False),
    Column("why", Text, nullable=False),
    Index("cron_omissions_by_cron", "environment", "service", "cron", "number"),
)
