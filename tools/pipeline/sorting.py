"""Explicit orders: by price, rating or date, and by the distance to a price."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from catalog.errors import ToolRetry
from catalog.filters import PriceRange
from catalog.ids import Rows
from catalog.vectors import Mask
from tools.pipeline.nouns import Sort
from tools.pipeline.pool import Pool
from tools.shop import Shop
from tools.sort_columns import Column


def sorted_by(shop: Shop, scored: Pool, sort: Sort) -> Pool:
    """Order candidates as asked; those that lack the value come last, ties keep the order they came in.

    Raises:
        ToolRetry: When `newest` is asked of a shop whose items carry no date.
    """
    return scored.take(_order(shop, scored.rows, sort))


def browsed(shop: Shop, mask: Mask, sort: Sort, k: int) -> Pool:
    """Return the first items of the allowed rows (n_items,) in an explicit order, as many as hold `k` in stock."""
    rows = np.flatnonzero(mask)
    rows = rows[_order(shop, rows, sort)]
    enough = int(np.searchsorted(np.cumsum(shop.in_stock[rows]), k)) + 1
    return Pool.of_rows(rows[:enough])


def by_price_distance(shop: Shop, scored: Pool, price: PriceRange) -> Pool:
    """Order candidates by how far their price lies outside the wanted range; those without a price come last."""
    paid = shop.sort_columns.prices[scored.rows]
    low = -np.inf if price.min is None else price.min
    high = np.inf if price.max is None else price.max
    distance = np.maximum(np.maximum(low - paid, paid - high), 0)
    return scored.take(np.argsort(distance, kind="stable"))


def _order(shop: Shop, rows: Rows, sort: Sort) -> npt.NDArray[np.int64]:
    columns = shop.sort_columns
    keys: dict[Sort, tuple[Column, ...]] = {
        "relevance": (),
        "price_asc": (columns.prices,),
        "price_desc": (-columns.prices,),
        "rating": (-columns.ratings, -np.nan_to_num(columns.rating_counts)),
        "newest": (-columns.dates,),
    }
    if sort == "newest" and np.isnan(columns.dates).all():
        raise ToolRetry(
            "'sort' is 'newest': items of this shop carry no date; relevance, price_asc, price_desc or rating "
            "would be valid"
        )
    # The last key of lexsort counts most; NaN sorts behind everything.
    order: npt.NDArray[np.int64] = np.lexsort((np.arange(len(rows)), *(key[rows] for key in reversed(keys[sort]))))
    return order
