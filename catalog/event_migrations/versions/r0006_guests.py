"""What a session's guest was shown is found without looking through what other guests were."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Put the shopper behind the session in the indexes."""
    for table in ("slates", "traces"):
        op.drop_index(f"{table}_by_session", table)
        op.create_index(f"{table}_by_session", table, ["tenant", "session_id", "user_id"])
