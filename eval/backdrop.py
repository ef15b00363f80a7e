"""Beyond accuracy: how novel, varied and popular is what a model shows, and how evenly it shows the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.log import Interactions
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from eval.metrics import Values
from eval.selection import Rows


@dataclass(frozen=True, eq=False)
class Backdrop:
    """What lists are held against: who took what in train, and what items look and read like.

    Attributes:
        counts: (n_items,) users who took each item in train.
        n_users: Users of train.
        unit: (n_items, width) rows whose inner product is the items' mean cosine over the modalities, each
            centred; None where the evaluation has no modality with any of the items.
    """

    counts: npt.NDArray[np.int64]
    n_users: int
    unit: Floats | None

    @classmethod
    def of(cls, train: Interactions, modalities: Mapping[str, EmbeddingTable]) -> Backdrop:
        """Return the backdrop of a train part and the evaluation's modalities."""
        counts = np.asarray(train.csr().sum(axis=0)).astype(np.int64)
        parts = []
        for table in modalities.values():
            aligned, present = table.align(train.items)
            if not present.any():
                continue
            aligned[present] -= aligned[present].mean(axis=0)
            parts.append(unit_rows(aligned))
        unit = (np.concatenate(parts, axis=1) / np.sqrt(len(parts))).astype(np.float32) if parts else None
        return cls(counts, len(np.unique(train.user_rows)), unit)

    def novelty(self, top: Rows) -> Values:
        """Return the mean self-information of each list in bits, `-log2(share of train users who took the item)`.

        An item nobody took counts as if one had. Source: Vargas and Castells, RecSys 2011, equation 3.
        """
        surprise = -np.log2(np.maximum(self.counts, 1) / self.n_users)
        return _mean_shown(surprise, top)

    def popularity(self, top: Rows) -> Values:
        """Return the mean popularity percentile of each list: the share of items taken by fewer, ties counted half.

        0.5 is a list drawn at random. Source: Abdollahpouri et al., RMSE 2019 (average recommendation popularity),
        as a percentile so that shops compare.
        """
        order = np.sort(self.counts)
        below = np.searchsorted(order, self.counts, "left") + np.searchsorted(order, self.counts, "right")
        return _mean_shown(below / (2 * len(order)), top)

    def diversity(self, top: Rows) -> Values:
        """Return the mean of `1 - cosine` over the pairs of each list; NaN without modalities or pairs.

        Source: Ziegler et al., WWW 2005 (intra-list similarity), averaged over pairs and turned round.
        """
        if self.unit is None:
            return np.full(len(top), np.nan)
        shown = top >= 0
        n = shown.sum(axis=1)
        rows = np.where(shown[:, :, None], self.unit[top], np.float32(0))
        whole = rows.sum(axis=1)  # |sum|^2 is the sum of the cosines of all pairs, each item with itself included
        own = (rows * rows).sum(axis=(1, 2))
        pairs = (n * (n - 1)).astype(np.float64)
        cosine = np.divide((whole * whole).sum(axis=1) - own, pairs, out=np.full(len(top), np.nan), where=pairs > 0)
        return np.asarray(1 - cosine)


def gini(top: Rows, n_items: int) -> float:
    """Return the Gini index of exposure: 0 when all items are shown alike, near 1 when few take all places.

    Source: Castells, Hurley and Vargas, "Novelty and diversity in recommender systems", 2015, section 8.3.4.
    """
    shown = np.sort(np.bincount(top[top >= 0], minlength=n_items))
    total = shown.sum()
    if n_items < 2 or total == 0:
        return 0.0
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((weights * shown).sum() / (total * (n_items - 1)))


def _mean_shown(worth: npt.NDArray[np.float64], top: Rows) -> Values:
    """Return the mean worth of the items of each list; NaN for an empty one."""
    shown = top >= 0
    n = shown.sum(axis=1)
    total = np.where(shown, worth[top], 0.0).sum(axis=1)
    return np.asarray(np.divide(total, n, out=np.full(len(top), np.nan), where=n > 0))
