"""Wishes that filters answer in full: what passes is right, and taste has a say in the order."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from catalog.filters import Filters
from catalog.ids import Rows
from catalog.vectors import Mask
from indexes.words import terms
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.pool import Pool
from tools.shop import Shop
from tools.taste import Taste

Counts: TypeAlias = npt.NDArray[np.int64]


LONGEST = 3
"""Words of a value that a wish may name."""


def named_values(shop: Shop, request: PipelineRequest) -> Counts | None:
    """Return how many of the values that a search names beside its filters each item has, (n_items,) int64.

    None where filters and values of attributes are not all there is to the wish, so that words must find what it is
    about. Without words beside the filters, nothing is named and all counts are 0. A value named in passing is no
    filter: an item about love may well not have the keyword. But the items that have it come first.
    """
    others = request.like or request.unlike or request.vectors or request.sort != "relevance"
    if request.mode != "search" or request.filters.empty or others:
        return None
    said, counts = _said(request.filters), np.zeros(len(shop.catalog), np.int64)
    words = [word for word in (request.query or "").casefold().split() if not set(terms(word)) <= said]
    while words:
        rows = next(((n, found) for n in range(LONGEST, 0, -1) if (found := _having(shop, " ".join(words[:n])))), None)
        if rows is None:
            return None
        counts[list(rows[1])] += 1
        words = words[rows[0] :]
    return counts


def _having(shop: Shop, value: str) -> set[int]:
    return set().union(*(shop.facets.rows(name, value) for name in shop.facets.attribute_names))


def known_rows(shop: Shop, taste: Taste, mask: Mask) -> Rows:
    """Return the rows of `mask` (n_items,) that the shopper owns or turned down, none where nothing else is left.

    Whoever asks for a kind of thing has use for another one; but an item that fits is never denied, it comes last.
    """
    known = shop.catalog.ids.rows(sorted(taste.owned | taste.disliked), missing=-1)
    known = np.unique(known[known >= 0])
    known = known[mask[known]]
    return known if len(known) < np.count_nonzero(mask) else np.empty(0, np.int64)


def settled(pool: Pool, named: Counts, aside: Rows) -> Pool:
    """Return candidates with those first that have most of what was named, and of these the rows `aside` last."""
    return pool.take(np.lexsort((np.arange(len(pool)), np.isin(pool.rows, aside), -named[pool.rows])))


def _said(filters: Filters) -> set[str]:
    values = (*filters.brand, *filters.category, *(v for wanted in filters.attributes.values() for v in wanted))
    return {term for value in values for term in terms(value)}
