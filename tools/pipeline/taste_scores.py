"""What the served model, or plain popularity, thinks of every item for one shopper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.vectors import Floats
from models.base import Ground as ModelGround
from tools.base import Shopper
from tools.shop import Shop
from tools.taste import Taste


@dataclass(frozen=True, eq=False)
class TasteScores:
    """Scores (n_items,) in catalogue order, -inf where unknown; whose they are, and on what ground."""

    values: Floats
    source: str
    ground: ModelGround


def taste_scores(shop: Shop, shopper: Shopper, taste: Taste) -> TasteScores:
    """Score every item for the shopper; without a model, by popularity."""
    if shop.recommender is None:
        return TasteScores(shop.popularity, "popularity", "popularity")
    # A shopper the model was trained on brings their history along; only what came since is news to it.
    known = shopper.user_id is not None and shopper.user_id in shop.recommender.users
    scores = shop.recommender.score(shopper.user_id, taste.live if known else taste.liked)
    rows = shop.model_rows
    values = np.where(rows >= 0, np.asarray(scores.values, np.float32)[rows], -np.inf)
    return TasteScores(values.astype(np.float32), shop.recommender.name, scores.ground)


def percentiles(values: Floats) -> Floats:
    """Return values (n,) as shares of the distinct values below, 0 to 1; equals stay equal."""
    distinct, place = np.unique(values, return_inverse=True)
    return np.asarray(place / max(len(distinct) - 1, 1), np.float32)
