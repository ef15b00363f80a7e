"""What the served model, or plain popularity, thinks of every item for one shopper at this moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.vectors import Floats
from models.base import Ground as ModelGround
from models.base import Recommender
from tools.base import Shopper
from tools.shop import Shop
from tools.taste import Taste

LOOKS = ("view", "click")
"""Events that say an item itself is being thought about: models learn from what was taken, and lift only its likes."""


@dataclass(frozen=True, eq=False)
class TasteScores:
    """Scores (n_items,) in catalogue order, -inf where unknown; whose they are, and on what ground.

    `plain` are the model's own (n_model_items,), where they answer the very question that the ranker's features ask.
    """

    values: Floats
    source: str
    ground: ModelGround
    plain: Floats | None = None


def taste_scores(shop: Shop, shopper: Shopper, taste: Taste) -> TasteScores:
    """Score every item for the shopper; without a model, by popularity.

    Events since the model's fit are folded in. The visit at hand has a say of its own,
    `standardised(whole taste) + visit_share * standardised(this visit)`: what a shopper has in mind today is a small
    part of a long history. An item the model knows nothing of has the mean score of those its content is most like.
    """
    model = shop.recommender
    if model is None:
        return TasteScores(shop.popularity, "popularity", "popularity")
    # A shopper the model was trained on brings their history along; only what came since is news to it.
    known = shopper.user_id is not None and shopper.user_id in model.users
    scores = model.score(shopper.user_id, taste.live if known else taste.liked, sorted(taste.disliked))
    plain = values = np.asarray(scores.values, np.float32)
    share = shop.pipeline.visit_share
    # To a stranger of whom nothing but this visit is known, the whole taste is the visit.
    if share and taste.visit and (known or set(taste.visit) != set(taste.liked)):
        values = _with_visit(model, values, taste, share)
    out = shop.in_catalogue(values)
    looked = shop.catalog.ids.rows([item_id for item_id, why in taste.why if why in LOOKS], missing=-1)
    out[looked[looked >= 0]] += np.float32(shop.pipeline.second_look) * values.std()
    same = not taste.disliked and (known or taste.liked == taste.live)
    return TasteScores(shop.kin.filled(out), model.name, scores.ground, plain if same else None)


def scores_of(model: Recommender, user_id: str | None, taste: Taste) -> Floats | None:
    """Return a further recommender's scores (n_model_items,) for a shopper; None where it knows nothing of them."""
    known = user_id is not None and user_id in model.users
    scores = model.score(user_id, taste.live if known else taste.liked, sorted(taste.disliked))
    return None if scores.ground == "popularity" else np.asarray(scores.values, np.float32)


def _with_visit(model: Recommender, values: Floats, taste: Taste, share: float) -> Floats:
    visit = model.score(None, taste.visit)
    if visit.ground == "popularity":  # the model knows none of the items
        return values
    return _standardised(values) + np.float32(share) * _standardised(np.asarray(visit.values, np.float32))


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-12), np.float32)


def percentiles(values: Floats) -> Floats:
    """Return values (n,) as shares of the distinct values below, 0 to 1; equals stay equal."""
    distinct, place = np.unique(values, return_inverse=True)
    return np.asarray(place / max(len(distinct) - 1, 1), np.float32)
