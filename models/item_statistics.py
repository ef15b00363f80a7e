"""What the log says about each item before a moment, computed once and looked up at every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import positives
from models.sparse_rows import csr_from_edges, spans

DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class Belonging:
    """The categories of some items.

    Attributes:
        codes: (m,) categories, one item after the other.
        owners: (m,) whose each is, as a place among the items.
        size: (n,) how many each item has.
    """

    codes: npt.NDArray[Any]
    owners: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]

    def mean(self, share: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the mean (n,) of `share` (n_categories,) over each item's categories; NaN for an item with none."""
        sums = np.bincount(self.owners, share[self.codes], minlength=len(self.size))
        mean: npt.NDArray[np.float64] = np.divide(sums, self.size, out=np.full(len(sums), np.nan), where=self.size > 0)
        return mean


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Per-item aggregates over the events before `as_of`.

    Attributes:
        items: Id world of every array here.
        as_of: No event at or after it was seen; aware UTC.
        half_life_days: Of `popularity`.
        names: Of the columns of `values`: `price`, `availability` (from the catalogue); `first_event` and
            `last_positive` (seconds since the epoch); `popularity` (sum of 0.5 ** (age / half life) over positives, at
            `as_of`); `return_rate` (returns over purchases); `rating`, `rating_count` (of rating events).
        values: (n, n_names) float64, NaN where unknown; what is known of one item lies together, for look-ups.
        brands: (n,) int64, -1 without a brand.
        categories: Binary (n, n_categories).
    """

    items: IdMap
    as_of: datetime
    half_life_days: float
    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    brands: npt.NDArray[np.int64]
    categories: sparse.csr_array

    @cached_property
    def columns(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """By name, (n,)."""
        return dict(zip(self.names, self.values.T, strict=True))

    def at(self, rows: npt.NDArray[np.int64]) -> Mapping[str, npt.NDArray[np.float64]]:
        """Return by name the values (m,) of the items at `rows`."""
        return dict(zip(self.names, np.ascontiguousarray(self.values[rows].T), strict=True))

    def category_counts(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many of the items at `rows` (repeats count) lie in each category, (n_categories,)."""
        places, _ = spans(self.categories.indptr, rows)
        return np.bincount(self.categories.indices[places], minlength=self.categories.shape[1])

    def categories_of(self, rows: npt.NDArray[np.int64]) -> Belonging:
        """Return the categories of the items at `rows` (n,)."""
        places, size = spans(self.categories.indptr, rows)
        return Belonging(self.categories.indices[places], np.repeat(np.arange(len(rows)), size), size)


def before(log: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Return the events strictly before `as_of`.

    Raises:
        DataError: When `as_of` has no time zone.
    """
    if as_of.tzinfo is None:
        raise DataError(f"as_of {as_of.isoformat()!r} has no time zone; an aware UTC time would be valid")
    return log.filter(pl.col("timestamp") < as_of)


def item_statistics(
    catalog: Catalog,
    log: pl.DataFrame,
    as_of: datetime,
    *,
    half_life_days: float,
    kinds: tuple[str, ...] | None = None,
) -> ItemStatistics:
    """Aggregate the events before `as_of`.

    The catalogue's own `rating` is not used: it is undated, so in training it would tell of the future.

    Args:
        catalog: The items, in the order of the result.
        log: Table with the columns of `columns.INTERACTIONS`.
        as_of: Aware UTC.
        half_life_days: After which a positive counts half.
        kinds: What counts as a positive, as in `catalog.log.positives`.
    """
    past = before(log, as_of)
    taken = positives(past, kinds)
    at = as_of.timestamp()
    age_days = (at - _seconds()) / DAY
    decayed = _by_item(catalog.ids, taken, (0.5 ** (age_days / half_life_days)).sum(), empty=0.0)
    purchases = _by_item(catalog.ids, past.filter(pl.col("kind") == "purchase"), pl.len(), empty=0.0)
    returns = _by_item(catalog.ids, past.filter(pl.col("kind") == "return"), pl.len(), empty=0.0)
    rated = past.filter((pl.col("kind") == "rating") & pl.col("value").is_not_null())
    columns = {
        "price": _known([item.price for item in catalog]),
        "availability": _known([item.availability for item in catalog]),
        "first_event": _by_item(catalog.ids, past, _seconds().min()),
        "last_positive": _by_item(catalog.ids, taken, _seconds().max()),
        "popularity": decayed,
        "return_rate": np.divide(returns, purchases, out=np.full(len(catalog), np.nan), where=purchases > 0),
        "rating": _by_item(catalog.ids, rated, pl.col("value").mean()),
        "rating_count": _by_item(catalog.ids, rated, pl.len(), empty=0.0),
    }
    values = np.stack(list(columns.values()), axis=1)
    brands, categories = _brands(catalog), _categories(catalog)
    return ItemStatistics(catalog.ids, as_of, half_life_days, tuple(columns), values, brands, categories)


def _seconds() -> pl.Expr:
    return pl.col("timestamp").dt.epoch("us") / 1e6


def _by_item(ids: IdMap, rows: pl.DataFrame, value: pl.Expr, empty: float = np.nan) -> npt.NDArray[np.float64]:
    """Return `value` aggregated by item, (n,), `empty` for items without a row; unknown items are left out."""
    # Sorted first, so that a sum does not depend on the order of threads.
    grouped = rows.sort("timestamp").group_by("item_id", maintain_order=True).agg(value.cast(pl.Float64).alias("value"))
    out = np.full(len(ids), empty)
    at = ids.rows(grouped["item_id"].to_list(), missing=-1)
    out[at[at >= 0]] = grouped["value"].to_numpy()[at >= 0]
    return out


def _known(values: list[float | None] | list[bool | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _brands(catalog: Catalog) -> npt.NDArray[np.int64]:
    codes = {brand: code for code, brand in enumerate(sorted({i.brand for i in catalog if i.brand is not None}))}
    return np.array([-1 if item.brand is None else codes[item.brand] for item in catalog], np.int64)


def _categories(catalog: Catalog) -> sparse.csr_array:
    codes = {name: code for code, name in enumerate(sorted({c for item in catalog for c in item.categories}))}
    pairs = [(row, codes[name]) for row, item in enumerate(catalog) for name in dict.fromkeys(item.categories)]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return csr_from_edges(rows, columns, (len(catalog), max(len(codes), 1)))
