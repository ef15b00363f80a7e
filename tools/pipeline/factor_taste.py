"""The taste scores of a large shop whose model is a product of rows: a search in place of a score for every item.

All that `taste_scores` does to a factor model's scores is linear in them, so one wish says it all: the visit's row is
added to the shopper's, each by its spread, and a new item's row is the mean of its kin's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catalog.ids import Rows
from catalog.vectors import Floats, Mask
from indexes.inner_product import InnerProducts
from indexes.ranking import best
from models.base import Ground as ModelGround
from models.factor_model import FactorModel
from tools.pipeline.pool import Proposed, Reach, top

if TYPE_CHECKING:
    from tools.shop import Shop


SAMPLED = 100
"""Known shoppers from whose wishes it is learned which items need to be looked at."""


@dataclass(frozen=True, eq=False)
class FactorTable:
    """A factor model's items in catalogue order.

    Attributes:
        vectors: (n_items, d + 1) float32, the bias last; kin's mean for items the model knows nothing of.
        known: Which have a row, (n_items,).
        mean: (d + 1,) of the model's own items.
        second: (d + 1, d + 1) mean of their outer products, which gives the spread of any wish's scores.
        replaced: (n_items,) the place in `before` of each item that has kin's mean, -1 for the others.
        before: (m, d + 1) what stood there: the model's own row, NaN where it has none.
        near: Finds the rows of the greatest products.
    """

    vectors: Floats
    known: Mask
    mean: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    replaced: Rows
    before: Floats
    near: InnerProducts

    def moments(self, wish: Floats) -> tuple[float, float]:
        """Return mean and standard deviation of the wish's scores over the model's items."""
        mean = float(self.mean @ wish)
        return mean, max(float(wish @ self.second @ wish) - mean * mean, 0.0) ** 0.5


@dataclass(frozen=True, eq=False)
class FactorTaste:
    """One shopper's scores, computed where they are looked at; the counterpart of `TasteScores`.

    Attributes:
        table: The items.
        wish: (d + 1,); a score is its product with an item's row, plus `shift`.
        shift: The same for all items.
        looked: Rows of the items looked at since the fit, ascending, and `lift`, what they gain.
        source: The model's name.
        ground: What the scores rest on.
        own: The model's own wish (d + 1,), where it answers the very question that the ranker's features ask.
    """

    table: FactorTable
    wish: Floats
    shift: float
    looked: Rows
    lift: float
    source: str
    ground: ModelGround
    own: Floats | None

    def at(self, rows: Rows) -> Floats:
        """Return the scores (n,) of the items at catalogue rows, -inf where unknown."""
        scores = np.einsum("nd,d->n", self.table.vectors.take(rows, axis=0), self.wish) + np.float32(self.shift)
        if len(self.looked):
            at = np.minimum(np.searchsorted(self.looked, rows), len(self.looked) - 1)
            scores[self.looked[at] == rows] += np.float32(self.lift)
        scores[~self.table.known[rows]] = -np.inf
        return np.asarray(scores, np.float32)

    def top(self, reach: Reach) -> Proposed:
        """Return the best allowed rows; every row is scored where a filter hides many."""
        if reach.hidden > reach.few:
            return top(self.at(np.arange(len(self.table.known))), reach)
        found = self.table.near.search(self.wish, reach.k, reach.hidden)
        rows = np.sort(np.concatenate([found, self.looked]))
        rows = rows[np.append(rows[1:] != rows[:-1], True)]
        rows = rows[reach.allowed[rows] & self.table.known[rows]]
        scores = self.at(rows)
        order = best(scores, reach.k)
        return Proposed(rows[order], scores[order])

    def plain(self, rows: Rows) -> Floats | None:
        """Return the model's own scores of the items at catalogue rows, NaN where unknown to it."""
        if self.own is None:
            return None
        vectors, at = self.table.vectors.take(rows, axis=0), self.table.replaced[rows]
        vectors[at >= 0] = self.table.before[at[at >= 0]]
        scores = np.einsum("nd,d->n", vectors, self.own)
        return np.asarray(np.where(self.table.known[rows], scores, np.nan), np.float32)


def factor_table(shop: Shop) -> FactorTable | None:
    """Return the table of a shop whose model is a factor model and large enough; None for others."""
    model, rows = shop.recommender, shop.model_rows
    if not isinstance(model, FactorModel) or len(rows) < shop.pipeline.exact_items:
        return None
    factors = model.factors
    vectors = np.where((rows >= 0)[:, None], factors[rows], np.float32(0))
    known, kin = rows >= 0, shop.kin
    replaced, before = np.full(len(rows), -1, np.int64), vectors[kin.rows]
    before[~known[kin.rows]] = np.nan
    replaced[kin.rows] = np.arange(len(kin.rows))
    if len(kin.rows):
        vectors[kin.rows] = np.einsum("mk,mkd->md", kin.weights, vectors[kin.known])
        known = known.copy()
        known[kin.rows] = True
    wide = factors.astype(np.float64)
    mean, second = wide.mean(axis=0), wide.T @ wide / len(wide)
    return FactorTable(vectors, known, mean, second, replaced, before, InnerProducts(vectors, model.wishes(SAMPLED)))
