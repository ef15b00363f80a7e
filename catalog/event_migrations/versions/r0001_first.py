"""The first schema: events, slates, traces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "events",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("session_id", sa.String),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("text", sa.Text),
        sa.Column("context", sa.Text),
        sa.Column("request_id", sa.String),
        sa.UniqueConstraint("event_id", name="events_event_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_user", "events", ["user_id", "timestamp"])
    op.create_index("events_by_session", "events", ["session_id", "timestamp"])
    op.create_table(
        "slates",
        sa.Column("request_id", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, index=True),
        sa.Column("session_id", sa.String),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("propensities", sa.Text, nullable=False),
    )
    op.create_table(
        "traces",
        sa.Column("trace_id", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, index=True),
        sa.Column("trace", sa.Text, nullable=False),
    )
