"""Items the served model knows nothing of, and the known ones their content is most like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catalog.vectors import Floats

if TYPE_CHECKING:
    from tools.shop import Shop

KIN = 5
"""Known items that stand for one the model knows nothing of."""

AMONG = 20_000
"""Known items at most that are looked at, the most taken of them."""

WORK, FEWEST = 10**11, 1_000
"""Products of numbers that the comparison may take, some seconds: where more is unknown, fewer known are looked at."""

_PART = 1_000
"""Unknown items whose cosines are in memory at a time."""


@dataclass(frozen=True, eq=False)
class Kin:
    """Who stands for whom.

    Attributes:
        rows: (m,) catalogue rows the model knows nothing of and content does.
        known: (m, k) catalogue rows of their nearest known items.
        weights: (m, k) cosines, summing to 1.
    """

    rows: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    weights: Floats

    def filled(self, values: Floats) -> Floats:
        """Return scores (n_items,) in which each unknown item has the weighted mean of its kin's."""
        if not len(self.rows):
            return values
        out = values.copy()
        out[self.rows] = (self.weights * values[self.known]).sum(axis=1)
        return out


def kin_of(shop: Shop) -> Kin:
    """Compare the content of unknown and known items, by the mean cosine over the shop's spaces.

    Unknown is what is not among the recommender's items, or what nobody took and its features did not place.
    """
    nobody = Kin(np.empty(0, np.int64), np.empty((0, KIN), np.int64), np.empty((0, KIN), np.float32))
    if shop.recommender is None or not shop.spaces:
        return nobody
    rows = shop.model_rows
    grounded = np.zeros(len(rows), np.bool_)
    grounded[rows >= 0] = shop.recommender.grounded()[rows[rows >= 0]]
    known, unknown = np.flatnonzero(grounded), np.flatnonzero(~grounded)
    if not len(known) or not len(unknown):
        return nobody
    width = sum(table.vectors.shape[1] for table in shop.spaces.values())
    among = min(AMONG, max(FEWEST, WORK // (len(unknown) * max(width, 1))))
    known = np.sort(known[np.argsort(-shop.popularity[known], kind="stable")[:among]])
    k = min(KIN, len(known))
    corpus = _units(shop, known)
    kept, found, weights = [], [], []
    for start in range(0, len(unknown), _PART):
        part = unknown[start : start + _PART]
        cosines = np.maximum(_units(shop, part) @ corpus.T, 0)
        best = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(cosines, best, axis=1)
        there = near.sum(axis=1) > 0
        kept.append(part[there])
        found.append(known[best[there]])
        weights.append(near[there] / near[there].sum(axis=1, keepdims=True))
    return Kin(np.concatenate(kept), np.concatenate(found), np.concatenate(weights).astype(np.float32))


def _units(shop: Shop, rows: npt.NDArray[np.int64]) -> Floats:
    """Return the unit vectors of all spaces side by side, zeros where an item has none."""
    from tools.pipeline.wish import unit_rows

    ids = shop.catalog.ids.at(rows)
    return np.concatenate([unit_rows(table, ids) for table in shop.spaces.values()], axis=1)
