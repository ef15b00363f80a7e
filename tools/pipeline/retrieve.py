"""The first stage: every source proposes its best, filters applied inside each search."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog.nouns import Candidate
from catalog.vectors import Floats, Mask
from indexes.base import Query
from indexes.job import KEYWORD
from indexes.ranking import best
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.taste_scores import TasteScores
from tools.shop import Shop
from tools.spaces import sees_look

EXAMPLES = 3
"""Examples whose own words are searched for."""

LIKED_WEIGHT = 0.5
"""What nearness to a liked item counts in the fusion of a recommendation; the model counts 1."""

POPULARITY_WEIGHT = 0.25


def for_wish(
    shop: Shop, request: PipelineRequest, wishes: Mapping[str, Floats], allowed: Mask, k: int
) -> dict[str, list[Candidate]]:
    """Return what keywords and each vector space propose for a wish, by source name."""
    lists: dict[str, list[Candidate]] = {}
    if KEYWORD in shop.indexes:
        if request.query:
            lists[KEYWORD] = _search(shop, KEYWORD, Query(text=request.query), allowed, k)
        if request.spaces is None or not all(sees_look(space) for space in request.spaces):
            for item_id in request.like[:EXAMPLES]:
                lists[f"{KEYWORD}:{item_id}"] = _search(shop, KEYWORD, Query(item_id=item_id), allowed, k)
    for space, wish in wishes.items():
        lists[space] = _search(shop, space, Query(vector=wish), allowed, k)
    return lists


def for_shopper(
    shop: Shop, scores: TasteScores, tastes: Mapping[str, Floats], allowed: Mask, k: int
) -> dict[str, list[Candidate]]:
    """Return what the model, the shopper's likes and popularity propose when nothing is asked for."""
    lists = {scores.source: _top(shop, scores.values, scores.source, allowed, k)}
    for space, wish in tastes.items():
        source = f"liked:{space}"
        found = _search(shop, space, Query(vector=wish), allowed, k)
        lists[source] = [Candidate(each.item_id, each.score, source) for each in found]
    lists.setdefault("popularity", _top(shop, shop.popularity, "popularity", allowed, k))
    return lists


def weights_for(lists: Mapping[str, list[Candidate]]) -> dict[str, float]:
    """Return how much each source of a recommendation counts."""
    weights = {name: LIKED_WEIGHT if name.startswith("liked:") else 1.0 for name in lists}
    return {**weights, "popularity": POPULARITY_WEIGHT}


def _search(shop: Shop, name: str, query: Query, allowed: Mask, k: int) -> list[Candidate]:
    rows = shop.index_rows[name]
    return shop.indexes[name].search(query, k, allowed=np.where(rows >= 0, allowed[rows], False))


def _top(shop: Shop, values: Floats, source: str, allowed: Mask, k: int) -> list[Candidate]:
    rows = np.flatnonzero(allowed & np.isfinite(values))
    if not len(rows):
        return []
    return [Candidate(shop.catalog.ids.ids[row], float(values[row]), source) for row in rows[best(values[rows], k)]]
