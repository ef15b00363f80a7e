"""What recommenders refuse to be fitted on."""

from __future__ import annotations

from catalog.errors import DataError
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.base import TrainingData

LEAST_DIFFERENCE = 1e-15
"""Vectors that nowhere differ from their mean by this are alike: float32 has no room for the square of less."""


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


def require_vectors(model: str, role: str, table: EmbeddingTable, present: Mask) -> None:
    """Check that a modality has a vector of at least one item.

    Args:
        model: Name of who asks, for errors.
        role: The modality.
        table: Its vectors.
        present: Which of the model's items have one, (n_items,).

    Raises:
        DataError: When none has.
    """
    if not present.any():
        raise DataError(
            f"{model}: modality {role!r} (space {table.space!r}) has none of the {len(present)} items; "
            "vectors of some of them would be valid, or a fit without this modality"
        )


def require_differences(model: str, role: str, table: EmbeddingTable, centred: Floats) -> None:
    """Check that a modality tells items apart.

    Args:
        model: Name of who asks, for errors.
        role: The modality.
        table: Where its vectors came from.
        centred: The items' vectors less their mean, (n, d).

    Raises:
        DataError: When all vectors are alike, as those of a single item are.
    """
    if max(centred.max(), -centred.min()) < LEAST_DIFFERENCE:
        raise DataError(
            f"{model}: modality {role!r} (space {table.space!r}): the vectors of all its items ({len(centred)}) are "
            "alike; vectors that differ would be valid, or a fit without this modality"
        )
