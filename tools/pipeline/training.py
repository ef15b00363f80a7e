"""The same retrieval for training the re-ranker as for serving it."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from catalog.nouns import Candidate
from tools.base import Shopper
from tools.pipeline.pool import Reach
from tools.pipeline.retrieve import LIKED, POPULARITY, for_shopper
from tools.pipeline.taste_scores import taste_at_hand
from tools.pipeline.wish import taste_vectors
from tools.shop import Shop
from tools.spaces import spaces_of
from tools.taste import taste_of


def source_names(shop: Shop) -> tuple[str, ...]:
    """Return the sources a recommendation draws on, for `models.features.FeatureConfig.sources`."""
    model = (shop.recommender.name,) if shop.recommender is not None else ()
    liked = (f"{LIKED}:{space}" for space in spaces_of(shop))
    every = dict.fromkeys((*model, *shop.retrievers, *liked, POPULARITY))
    asked = shop.pipeline.retrievers
    return tuple(name for name in every if not asked or name in asked or name.split(":", 1)[0] in asked)


def training_candidates(shop: Shop, user_id: str, now: datetime, k: int | None = None) -> list[Candidate]:
    """Return what serving would retrieve for a shopper at `now`, source by source, best first.

    Hand it a shop as of the cut: its model, statistics and events must know nothing later. Items the
    shopper owns or turned down are left out, as they are when serving.
    """
    taste = taste_of(shop, Shopper(user_id), now)
    allowed = np.ones(len(shop.catalog), np.bool_)
    known = shop.catalog.ids.rows(sorted(taste.owned | taste.disliked), missing=-1)
    allowed[known[known >= 0]] = False
    tastes = taste_vectors(shop, taste.liked, sorted(taste.disliked), shop.pipeline) if taste.liked else {}
    scores = taste_at_hand(shop, Shopper(user_id), taste)
    lists = for_shopper(shop, taste, user_id, scores, tastes, Reach(allowed, k or shop.pipeline.pool))
    ids = shop.catalog.ids.ids
    return [
        Candidate(ids[row], score, source)
        for source, found in lists.items()
        for row, score in zip(found.rows.tolist(), found.scores.tolist(), strict=True)
    ]
