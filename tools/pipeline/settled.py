"""Wishes that filters answer in full: what passes is right, and taste has a say in the order."""

from __future__ import annotations

import numpy as np

from catalog.filters import Filters
from catalog.ids import Rows
from catalog.vectors import Mask
from indexes.words import terms
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.pool import Pool
from tools.shop import Shop
from tools.taste import Taste


def settled(request: PipelineRequest) -> bool:
    """Whether the filters say all there is to the wish: its words are those of the filters, or it has none.

    Example:
        >>> from datetime import UTC, datetime
        >>> from tools.base import Shopper
        >>> mugs = PipelineRequest(Shopper(None), datetime.now(UTC), query="mugs", filters=Filters(category=("Mugs",)))
        >>> settled(mugs)
        True
    """
    if request.mode != "search" or request.filters.empty or request.like or request.unlike or request.vectors:
        return False
    return set(terms(request.query or "")) <= _said(request.filters)


def known_rows(shop: Shop, taste: Taste, mask: Mask) -> Rows:
    """Return the rows of `mask` (n_items,) that the shopper owns or turned down, none where nothing else is left.

    Whoever asks for a kind of thing has use for another one; but an item that fits is never denied, it comes last.
    """
    known = shop.catalog.ids.rows(sorted(taste.owned | taste.disliked), missing=-1)
    known = np.unique(known[known >= 0])
    known = known[mask[known]]
    return known if len(known) < np.count_nonzero(mask) else np.empty(0, np.int64)


def behind(pool: Pool, aside: Rows) -> Pool:
    """Return candidates with those of the rows `aside` behind the rest, each part in its order."""
    return pool.take(np.argsort(np.isin(pool.rows, aside), kind="stable")) if len(aside) else pool


def _said(filters: Filters) -> set[str]:
    values = (*filters.brand, *filters.category, *(v for wanted in filters.attributes.values() for v in wanted))
    return {term for value in values for term in terms(value)}
