"""What a shopper took before a moment, summed up for the ranker's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap
from catalog.log import positives
from catalog.vectors import EmbeddingTable, Floats
from models.item_statistics import ItemStatistics, before


@dataclass(frozen=True, eq=False)
class Shopper:
    """A shopper's taste as of the store's moment.

    Attributes:
        taken: Item rows, repeats kept, oldest first; empty for a stranger.
        prices: Finite prices of `taken`.
        brand_share: By brand code, share of the positives that have a brand.
        category_share: (n_categories,), share of the positives that lie in each.
        means: By space, the mean (d,) of the unit vectors of `taken`, or None when none has one.
    """

    taken: npt.NDArray[np.int64]
    prices: npt.NDArray[np.float64]
    brand_share: npt.NDArray[np.float64]
    category_share: npt.NDArray[np.float64]
    means: Mapping[str, Floats | None]


class Histories:
    """Positives before a moment by shopper, for look-up by id."""

    def __init__(self, log: pl.DataFrame, items: IdMap, as_of: datetime, kinds: tuple[str, ...] | None) -> None:
        taken = positives(before(log, as_of), kinds).sort("timestamp", maintain_order=True)
        rows = items.rows(taken["item_id"].to_list(), missing=-1)
        known = taken.select("user_id").with_columns(pl.Series("row", rows)).filter(pl.col("row") >= 0)
        grouped = known.group_by("user_id", maintain_order=True).agg("row")
        self._rows: dict[str, npt.NDArray[np.int64]] = {
            user: np.asarray(items_taken, np.int64) for user, items_taken in grouped.iter_rows()
        }

    def of(self, user_id: str | None) -> npt.NDArray[np.int64]:
        """Return the item rows a shopper took, oldest first; empty for a stranger."""
        return self._rows.get(user_id or "", np.empty(0, np.int64))


def shopper_profile(
    taken: npt.NDArray[np.int64], statistics: ItemStatistics, units: Mapping[str, EmbeddingTable]
) -> Shopper:
    """Sum up the items at rows `taken`.

    Args:
        taken: Item rows, repeats kept.
        statistics: Over the same item rows.
        units: By space, unit vectors aligned with those rows; zeros where an item has none.
    """
    prices = statistics.columns["price"][taken]
    brands = statistics.brands[taken]
    branded = brands[brands >= 0]
    n_brands = int(statistics.brands.max(initial=-1)) + 1
    categories = np.asarray(statistics.categories[taken].sum(axis=0), np.float64)
    return Shopper(
        taken,
        prices[np.isfinite(prices)],
        np.bincount(branded, minlength=n_brands) / max(len(branded), 1),
        categories / max(len(taken), 1),
        {name: _mean(table.vectors[taken]) for name, table in units.items()},
    )


def with_recent(taken: npt.NDArray[np.int64], recent: Sequence[str], items: IdMap) -> npt.NDArray[np.int64]:
    """Return `taken` followed by the rows of the recent items it does not hold; unknown ids are left out."""
    rows = items.rows(list(dict.fromkeys(recent)), missing=-1)
    return np.concatenate([taken, rows[(rows >= 0) & ~np.isin(rows, taken)]])


def _mean(vectors: Floats) -> Floats | None:
    present = vectors[vectors.any(axis=1)]
    return present.mean(axis=0) if len(present) else None
