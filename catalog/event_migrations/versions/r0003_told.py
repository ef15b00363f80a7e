"""What shoppers told of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "told",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("entry_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("facet", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("about", sa.String),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("session_id", sa.String),
        sa.Column("request_id", sa.String),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
    op.create_index("told_by_time", "told", ["timestamp"])
