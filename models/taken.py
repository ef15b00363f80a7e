"""`Taken`: the items a shopper stands for or against at this moment, as rows with signed weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.ids import IdMap
from catalog.vectors import Floats

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Taken:
    """Items and how each counts.

    Attributes:
        rows: (n,) item rows, each once, ascending.
        weights: (n,) 1 for a liked item, `-against_weight` for one spoken against.
    """

    rows: Rows
    weights: Floats

    @classmethod
    def of(cls, items: IdMap, recent: Sequence[str], against: Sequence[str], against_weight: float) -> Taken:
        """Return the known items of both lists; an item in both counts against."""
        liked, disliked = known_rows(items, recent), known_rows(items, against)
        if not len(disliked):
            return cls(liked, np.ones(len(liked), np.float32))
        liked = np.setdiff1d(liked, disliked, assume_unique=True)
        weights = np.concatenate([np.ones(len(liked)), np.full(len(disliked), -against_weight)])
        rows = np.concatenate([liked, disliked])
        order = np.argsort(rows)
        return cls(rows[order], weights[order].astype(np.float32))

    @property
    def liked(self) -> bool:
        """Whether anything counts in favour."""
        return bool((self.weights > 0).any())

    @property
    def liked_rows(self) -> Rows:
        """Rows of what counts in favour."""
        return self.rows[self.weights > 0]

    def after(self, before: Rows) -> Taken:
        """Return the whole history: these items, and those of `before` (each once) not among them, as liked."""
        older = before[~np.isin(before, self.rows)]
        rows = np.concatenate([older, self.rows])
        return Taken(rows, np.concatenate([np.ones(len(older), np.float32), self.weights]))


def known_rows(items: IdMap, item_ids: Sequence[str]) -> Rows:
    """Return the rows (n,) of the ids that are known, each once, ascending."""
    rows = {row for item_id in item_ids if (row := items.get(item_id)) is not None}
    return np.array(sorted(rows), np.int64)
