"""The first stage: every source proposes its best, filters applied inside each search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from catalog.telemetry import timed
from catalog.vectors import Floats
from indexes.base import Query
from indexes.job import KEYWORD
from indexes.ranking import best
from indexes.vector_index import VectorIndex
from models.base import Recommender
from models.itemknn import ItemKNN
from tools.pipeline.factor_taste import FactorTaste
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.pool import Proposed, Reach, top
from tools.pipeline.taste_scores import TasteScores, news_to, scores_of
from tools.shop import Shop
from tools.spaces import sees_look
from tools.taste import Taste

EXAMPLES = 3
"""Examples whose own words are searched for."""

LIKED_WEIGHT = 0.5
"""What nearness to a liked item counts in the fusion of a recommendation; the model counts 1."""

POPULARITY_WEIGHT = 0.25

LIKED_SHARE = 0.125
"""Of a space's vectors, how many are looked at for what is like the liked: one voice of several may miss a few. Over
200,000 items 99% of what stands on a page is what stands there when all are looked at."""

LIKED, POPULARITY = "liked", "popularity"


def for_wish(shop: Shop, request: PipelineRequest, wishes: Mapping[str, Floats], reach: Reach) -> dict[str, Proposed]:
    """Return what keywords and each vector space propose for a wish, by source name."""
    lists: dict[str, Proposed] = {}
    if KEYWORD in shop.indexes:
        if request.query:
            lists[KEYWORD] = _search(shop, KEYWORD, Query(text=request.query), reach)
        if request.spaces is None or not all(sees_look(space) for space in request.spaces):
            for item_id in request.like[:EXAMPLES]:
                lists[f"{KEYWORD}:{item_id}"] = _search(shop, KEYWORD, Query(item_id=item_id), reach)
    for space, wish in wishes.items():
        lists[space] = _search(shop, space, Query(vector=wish), reach)
    return lists


def for_shopper(
    shop: Shop,
    taste: Taste,
    user_id: str | None,
    scores: TasteScores | FactorTaste,
    tastes: Mapping[str, Floats],
    reach: Reach,
) -> dict[str, Proposed]:
    """Return what every retriever proposes when nothing is asked for, by source name.

    The served model, the recommenders beside it (`Shop.retrievers`), likeness to what the shopper liked in each space,
    and popularity; `pipeline.retrievers` says which of them, and how many each may propose.
    """
    quotas = shop.pipeline.retrievers

    def quota(name: str) -> Reach | None:
        if not quotas:
            return reach
        asked = quotas.get(name, quotas.get(name.split(":", 1)[0]))
        # Pages beyond the quota ask every source for more in proportion.
        deeper = max(1.0, reach.k / shop.pipeline.pool)
        return None if asked is None else replace(reach, k=round(asked * deeper))

    lists: dict[str, Proposed] = {}
    # Without any say of its own the served model still leads: a shop without retrievers would be empty.
    if (own := quota(scores.source)) is not None:
        with timed("channel", scores.source):
            lists[scores.source] = scores.top(own)
    for name, model in shop.retrievers.items():
        if (own := quota(name)) is not None and (found := _best_of(shop, name, model, user_id, taste, own)) is not None:
            lists[name] = found
    for space, wish in tastes.items():
        if (own := quota(f"{LIKED}:{space}")) is not None:
            lists[f"{LIKED}:{space}"] = _search(shop, space, Query(vector=wish), own, LIKED_SHARE)
    if POPULARITY not in lists and (own := quota(POPULARITY)) is not None:
        with timed("channel", POPULARITY):
            lists[POPULARITY] = _popular(shop, own)
    return lists


def _best_of(
    shop: Shop, name: str, model: Recommender, user_id: str | None, taste: Taste, reach: Reach
) -> Proposed | None:
    """Return what a further recommender proposes; None where it knows nothing of the shopper."""
    rows = shop.retriever_rows[name]
    with timed("channel", name):
        if isinstance(model, ItemKNN):
            some = model.near(user_id, news_to(model, user_id, taste), sorted(taste.disliked))
            if some is None:
                return None
            at = rows[some[0]]
            fits = (some[1] > 0) & (at >= 0) & reach.allowed[at]
            # Where neighbours say enough, nobody else need be looked at.
            if np.count_nonzero(fits) >= reach.k:
                chosen = np.flatnonzero(fits)
                chosen = chosen[best(some[1][chosen], reach.k)]
                return Proposed(at[chosen], some[1][chosen])
        found = scores_of(model, user_id, taste)
        if found is None:
            return None
        near = top(found, Reach(reach.allowed[rows] & (rows >= 0), reach.k))
        return Proposed(rows[near.rows], near.scores)


def weights_for(lists: Mapping[str, Proposed]) -> dict[str, float]:
    """Return how much each source of a recommendation counts."""
    weights = {name: LIKED_WEIGHT if name.startswith(f"{LIKED}:") else 1.0 for name in lists}
    return {**weights, POPULARITY: POPULARITY_WEIGHT}


def _popular(shop: Shop, reach: Reach) -> Proposed:
    order = shop.by_popularity[: reach.k + reach.hidden]
    rows = order[reach.allowed[order]][: reach.k]
    return Proposed(rows, shop.popularity[rows])


def _search(shop: Shop, name: str, query: Query, reach: Reach, share: float = 1.0) -> Proposed:
    with timed("channel", name):
        return _searched(shop, name, query, reach, share)


def _searched(shop: Shop, name: str, query: Query, reach: Reach, share: float) -> Proposed:
    index, own = shop.indexes[name], shop.index_rows[name]
    same, beside, allowed = name in shop.same_rows, 0, None
    if same and reach.hidden <= reach.few:
        beside = reach.hidden
    else:
        allowed = reach.allowed if same else np.where(own >= 0, reach.allowed[own], False)
    if isinstance(index, VectorIndex) and query.vector is not None:
        rows, scores = index.search_rows(query.vector, reach.k, allowed=allowed, share=share, beside=beside)
        rows = rows if same else own[rows]
    else:
        found = index.search(query, reach.k + beside, allowed=allowed)
        rows = shop.catalog.ids.rows([each.item_id for each in found])
        scores = np.array([each.score for each in found])
    keep = np.flatnonzero(reach.allowed[rows])[: reach.k]
    return Proposed(rows[keep], scores[keep])
