"""Whether what was found answers the words of a wish, or is only the nearest there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from catalog.vectors import Floats, Mask
from indexes.job import KEYWORD
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.score import Scored
from tools.pipeline.wish import cosines
from tools.shop import Shop


def only_nearest(
    shop: Shop, request: PipelineRequest, mask: Mask, wishes: Mapping[str, Floats], scored: Sequence[Scored]
) -> bool:
    """Say whether the finds fall short of the query, judged in two ways.

    No find shares a word with it and none means much the same (`min_cosine`); or the filters keep out every
    item with all its words, and the best cosine they leave is clearly below the best anywhere (`as_good`).
    """
    if not request.query:
        return False
    best = max((each.features["cosine"] for each in scored), default=0.0)
    if best < shop.pipeline.min_cosine and not any(each.features["words"] for each in scored):
        return True
    if request.filters.empty or not wishes:
        return False
    carrying = carrying_rows(shop, request.query)
    if not carrying.any() or (carrying & mask).any():
        return False
    ids = shop.catalog.ids.ids
    anywhere = np.mean([cosines(shop.spaces[space], wish, ids) for space, wish in wishes.items()], axis=0)
    return best < shop.pipeline.as_good * float(anywhere.max())


def carrying_rows(shop: Shop, query: str) -> Mask:
    """Return which catalogue rows have every word of `query` that the shop knows, (n_items,) bool."""
    out = np.zeros(len(shop.catalog), np.bool_)
    if shop.words is not None:
        rows = shop.index_rows[KEYWORD]
        out[rows[shop.words.carrying(query) & (rows >= 0)]] = True
    return out
