"""Training triples: every positive once an epoch, each with one item the shopper did not take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.log import Interactions

Triples = npt.NDArray[np.int64]
"""(3, b): user rows, taken item rows, sampled item rows."""


class TripleSampler:
    """Draws negatives uniformly from the items of the training rows, never one the user took.

    Rows of a user who took every item are left out, for there is nothing to draw.

    Raises:
        DataError: When that leaves no row.
    """

    def __init__(self, train: Interactions, batch_size: int) -> None:
        self._n_items = len(train.items)
        self._batch_size = batch_size
        self._pool = np.unique(train.item_rows).astype(np.int64)
        keys = train.user_rows.astype(np.int64) * self._n_items + train.item_rows
        self._taken = np.unique(keys)
        per_user = np.bincount(self._taken // self._n_items, minlength=len(train.users))
        usable = per_user[train.user_rows] < len(self._pool)
        if not usable.any():
            raise DataError(
                f"every user of the {len(train)} training rows took all {len(self._pool)} items of the "
                "train part: there is no item to sample against; a user who left one out would be valid"
            )
        self._users = train.user_rows[usable].astype(np.int64)
        self._items = train.item_rows[usable].astype(np.int64)

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self._users) // self._batch_size)

    def epoch(self, rng: np.random.Generator) -> Iterator[Triples]:
        """Yield an epoch's batches in a new order; the last may be shorter."""
        order = rng.permutation(len(self._users))
        users, taken = self._users[order], self._items[order]
        sampled = self._negatives(users, rng)
        triples = np.stack([users, taken, sampled])
        for start in range(0, len(order), self._batch_size):
            yield np.ascontiguousarray(triples[:, start : start + self._batch_size])

    def _negatives(self, users: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        sampled = rng.choice(self._pool, len(users))
        pending = np.arange(len(users))
        while len(pending):
            keys = users[pending] * self._n_items + sampled[pending]
            at = np.minimum(np.searchsorted(self._taken, keys), len(self._taken) - 1)
            pending = pending[self._taken[at] == keys]
            sampled[pending] = rng.choice(self._pool, len(pending))
        return sampled
