"""Which arm of an experiment made what was shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what stands was shown outside any experiment."""
    op.add_column("slates", sa.Column("assignment", sa.Text))
