"""What a shopper took before a moment, summed up for the ranker's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap
from catalog.log import positives
from catalog.nouns import NEGATIVE_KINDS
from catalog.vectors import Floats
from models.item_statistics import ItemStatistics, before
from models.units import Units


@dataclass(frozen=True, eq=False)
class Shopper:
    """A shopper's taste as of the store's moment.

    Attributes:
        taken: Item rows, repeats kept, oldest first; empty for a stranger.
        prices: Finite prices of `taken`, ascending.
        brands: Brand codes of the positives that have a brand, repeats kept.
        category_share: (n_categories,), share of the positives that lie in each.
        means: By space, the mean (d,) of the unit vectors of `taken`, or None when none has one.
        against: Item rows dismissed, returned or complained about, repeats kept.
        return_rate: Returns over purchases; NaN for who bought nothing.
    """

    taken: npt.NDArray[np.int64]
    prices: npt.NDArray[np.float64]
    brands: npt.NDArray[np.int64]
    category_share: npt.NDArray[np.float64]
    means: Mapping[str, Floats | None]
    against: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    return_rate: float = float("nan")


@dataclass(frozen=True, eq=False)
class Against:
    """What a shopper spoke against: item rows, repeats kept, and returns over purchases."""

    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    return_rate: float = float("nan")


NOTHING = Against()


class Histories:
    """Positives before a moment by shopper, for look-up by id."""

    def __init__(self, log: pl.DataFrame, items: IdMap, as_of: datetime, kinds: tuple[str, ...] | None) -> None:
        past = before(log, as_of)
        self._rows = _rows_by_user(positives(past, kinds), items)
        self._against = _rows_by_user(past.filter(pl.col("kind").is_in(sorted(NEGATIVE_KINDS))), items)
        bought, returned = (pl.col("kind") == kind for kind in ("purchase", "return"))
        counts = past.group_by("user_id").agg(bought.sum().alias("bought"), returned.sum().alias("returned"))
        rates = counts.filter(pl.col("bought") > 0).select("user_id", pl.col("returned") / pl.col("bought"))
        self._return_rates: dict[str, float] = dict(rates.iter_rows())

    def of(self, user_id: str | None) -> npt.NDArray[np.int64]:
        """Return the item rows a shopper took, oldest first; empty for a stranger."""
        return self._rows.get(user_id or "", np.empty(0, np.int64))

    def against(self, user_id: str | None) -> Against:
        """Return what a shopper spoke against; nothing for a stranger."""
        key = user_id or ""
        rate = self._return_rates.get(key, float("nan"))
        return Against(self._against.get(key, NOTHING.rows), rate)


def shopper_profile(
    taken: npt.NDArray[np.int64],
    statistics: ItemStatistics,
    units: Mapping[str, Units],
    against: Against = NOTHING,
) -> Shopper:
    """Sum up the items at rows `taken`.

    Args:
        taken: Item rows, repeats kept.
        statistics: Over the same item rows.
        units: By space, over the same item rows.
        against: What they spoke against.
    """
    return Shopper(
        taken,
        paid(statistics, taken),
        branded(statistics, taken),
        statistics.category_counts(taken) / max(len(taken), 1),
        {name: space.mean(taken) for name, space in units.items()},
        against.rows,
        against.return_rate,
    )


def paid(statistics: ItemStatistics, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the finite prices of the items at `rows`, ascending."""
    prices = statistics.columns["price"][rows]
    return np.sort(prices[np.isfinite(prices)])


def branded(statistics: ItemStatistics, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the brand codes of the items at `rows` that have a brand, repeats kept."""
    brands = statistics.brands[rows]
    return brands[brands >= 0]


def with_recent(taken: npt.NDArray[np.int64], recent: Sequence[str], items: IdMap) -> npt.NDArray[np.int64]:
    """Return `taken` followed by the rows of the recent items it does not hold; unknown ids are left out."""
    rows = items.rows(list(dict.fromkeys(recent)), missing=-1)
    return np.concatenate([taken, rows[(rows >= 0) & ~(rows[:, None] == taken).any(axis=1)]])


def _rows_by_user(events: pl.DataFrame, items: IdMap) -> dict[str, npt.NDArray[np.int64]]:
    """Return by shopper the item rows of their events, oldest first; unknown items are left out."""
    ordered = events.sort("timestamp", maintain_order=True)
    rows = items.rows(ordered["item_id"].to_list(), missing=-1)
    known = ordered.select("user_id").with_columns(pl.Series("row", rows, dtype=pl.Int64)).filter(pl.col("row") >= 0)
    grouped = known.group_by("user_id", maintain_order=True).agg("row")
    return {user: np.asarray(mine, np.int64) for user, mine in grouped.iter_rows()}
