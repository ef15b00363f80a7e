"""Rows belong to a tenant; sign-ins, dead letters, and the times that retention goes by."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String, nullable=False, server_default="open")


def upgrade() -> None:
    """Add what was missing; rows that stand belong to the service without keys."""
    _events()
    op.add_column("slates", _tenant())
    op.add_column("traces", _tenant())
    op.add_column("traces", sa.Column("session_id", sa.String))
    op.add_column("traces", sa.Column("timestamp", sa.BigInteger, nullable=False, server_default="0"))
    # Nobody noted when those were made; their retention begins now.
    op.execute(sa.text("UPDATE traces SET timestamp = :now").bindparams(now=time.time_ns() // 1000))
    for table in ("slates", "traces"):
        op.drop_index(f"ix_{table}_user_id", table)
        op.create_index(f"{table}_by_user", table, ["tenant", "user_id"])
        op.create_index(f"{table}_by_session", table, ["tenant", "session_id"])
        op.create_index(f"{table}_by_time", table, ["timestamp"])
    op.create_table(
        "sign_ins",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("session_id", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
    op.create_index("sign_ins_by_user", "sign_ins", ["tenant", "user_id"])
    op.create_table(
        "dead_letters",
        sa.Column("row_id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String),
        sa.Column("user_id", sa.String),
        sa.Column("session_id", sa.String),
        sa.Column("times", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant", "digest", name="uq_dead_letters_tenant_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("dead_letters_by_user", "dead_letters", ["tenant", "user_id"])
    op.create_index("dead_letters_by_time", "dead_letters", ["received_at"])


def _events() -> None:
    """Make event ids unique within a tenant; SQLite can only do that by writing the table anew."""
    op.drop_index("events_by_user", "events")
    op.drop_index("events_by_session", "events")
    if op.get_context().dialect.name == "sqlite":
        highest = op.get_bind().scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'events'"))
        with op.batch_alter_table(
            "events",
            recreate="always",
            table_kwargs={"sqlite_autoincrement": True},
            naming_convention={"uq": "events_%(column_0_name)s_key"},
        ) as batch:
            batch.drop_constraint("events_event_id_key", type_="unique")
            batch.add_column(_tenant())
            batch.create_unique_constraint("uq_events_tenant_event_id", ["tenant", "event_id"])
        # A row id that was given and forgotten is not given again.
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
        restore = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', :seq)")
        op.execute(restore.bindparams(seq=highest or 0))
    else:
        op.drop_constraint("events_event_id_key", "events", type_="unique")
        op.add_column("events", _tenant())
        op.create_unique_constraint("uq_events_tenant_event_id", "events", ["tenant", "event_id"])
    op.create_index("events_by_user", "events", ["tenant", "user_id", "timestamp"])
    op.create_index("events_by_session", "events", ["tenant", "session_id", "timestamp"])
    op.create_index("events_by_time", "events", ["timestamp"])
