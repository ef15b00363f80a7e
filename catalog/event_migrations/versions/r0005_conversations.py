"""Conversations that several workers share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "conversations",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("session_id", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("state", sa.Text),
        sa.Column("fingerprint", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.String),
        sa.Column("held_until", sa.BigInteger),
    )
    op.create_index("conversations_by_user", "conversations", ["tenant", "user_id"])
    op.create_index("conversations_by_fingerprint", "conversations", ["fingerprint"])
    op.create_index("conversations_by_time", "conversations", ["timestamp"])
