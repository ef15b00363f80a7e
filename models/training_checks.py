"""What every recommender refuses to be fitted on."""

from __future__ import annotations

from catalog.errors import DataError
from models.base import TrainingData


def require_rows(data: TrainingData, model: str) -> None:
    """Check that there is something to learn from.

    Raises:
        DataError: When there is no training interaction.
    """
    if not len(data.train):
        raise DataError(
            f"{model}: no training interaction for {len(data.train.users)} users and {len(data.train.items)} items; "
            "at least one positive would be valid"
        )
