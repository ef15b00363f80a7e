"""A model refuses what would not fit, before it has spent an hour on it."""

from __future__ import annotations

from catalog.errors import DataError


def require_at_most(name: str, what: str, count: int, setting: str, limit: int, why: str) -> None:
    """Refuse more than `limit` of something a model's cost grows with.

    Args:
        name: The model.
        what: What is counted, e.g. `items`.
        count: How many there are.
        setting: The config field that holds the limit.
        limit: Its value.
        why: What the cost would be, e.g. `a dense item matrix of 57.6 GB`.

    Raises:
        DataError: When there are more.
    """
    if count > limit:
        raise DataError(
            f"{name}: {count:,} {what} exceed {setting} = {limit:,} ({why}); "
            f"a smaller catalogue, a larger {setting} or another model would be valid"
        )
