"""What the served model, or plain popularity, thinks of every item for one shopper at this moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.ids import Rows
from catalog.vectors import Floats
from models.base import Ground as ModelGround
from models.base import Recommender
from models.factor_model import FactorModel
from tools.base import Shopper
from tools.pipeline.factor_taste import FactorTaste
from tools.pipeline.pool import Proposed, Reach, top
from tools.shop import Shop
from tools.taste import Taste

LOOKS = ("view", "click")
"""Events that say an item itself is being thought about: models learn from what was taken, and lift only its likes."""


@dataclass(frozen=True, eq=False)
class TasteScores:
    """Scores (n_items,) in catalogue order, -inf where unknown; whose they are, and on what ground.

    `own` are the model's own scores, likewise, where they answer the very question that the ranker's features ask.
    """

    values: Floats
    source: str
    ground: ModelGround
    own: Floats | None = None

    def at(self, rows: Rows) -> Floats:
        """Return the scores (n,) of the items at catalogue rows."""
        found: Floats = self.values[rows]
        return found

    def top(self, reach: Reach) -> Proposed:
        """Return the best allowed rows."""
        return top(self.values, reach)

    def plain(self, rows: Rows) -> Floats | None:
        """Return the model's own scores of the items at catalogue rows, NaN where unknown to it."""
        if self.own is None:
            return None
        found = self.own[rows]
        return np.asarray(np.where(np.isfinite(found), found, np.nan), np.float32)


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
    own = values = np.asarray(scores.values, np.float32)
    share = shop.pipeline.visit_share
    # To a stranger of whom nothing but this visit is known, the whole taste is the visit.
    if share and taste.visit and (known or set(taste.visit) != set(taste.liked)):
        values = _with_visit(model, values, taste, share)
    out = shop.kin.filled(shop.in_catalogue(values))
    looked = shop.catalog.ids.rows([item_id for item_id, why in taste.why if why in LOOKS], missing=-1)
    out[looked[looked >= 0]] += np.float32(shop.pipeline.second_look) * values.std()
    same = not taste.disliked and (known or taste.liked == taste.live)
    asked = shop.in_catalogue(own) if same and shop.ranker is not None else None
    return TasteScores(out, model.name, scores.ground, asked)


def taste_at_hand(shop: Shop, shopper: Shopper, taste: Taste) -> TasteScores | FactorTaste:
    """Return what `taste_scores` returns, without a score for every item where the shop is large and the model allows.

    Source: `shop.factors`; nearest rows are searched for, and what is found is scored as `taste_scores` would.
    """
    table, model = shop.factors, shop.recommender
    if table is None or not isinstance(model, FactorModel):
        return taste_scores(shop, shopper, taste)
    known = shopper.user_id is not None and shopper.user_id in model.users
    found = model.wish(shopper.user_id, taste.live if known else taste.liked, sorted(taste.disliked))
    if found is None:
        return taste_scores(shop, shopper, taste)
    own, ground = found
    wish, shift, share = own, 0.0, shop.pipeline.visit_share
    visited = share and taste.visit and (known or set(taste.visit) != set(taste.liked))
    if visited and (visit := model.wish(None, taste.visit)) is not None:
        (mean, spread), (mean_then, spread_then) = table.moments(own), table.moments(visit[0])
        spread, spread_then = max(spread, 1e-12), max(spread_then, 1e-12)
        wish = np.asarray(own / spread + share * visit[0] / spread_then, np.float32)
        shift = -(mean / spread + share * mean_then / spread_then)
    looked = shop.catalog.ids.rows([item_id for item_id, why in taste.why if why in LOOKS], missing=-1)
    lift = shop.pipeline.second_look * table.moments(wish)[1]
    same = not taste.disliked and (known or taste.liked == taste.live)
    looked = np.unique(looked[looked >= 0])
    return FactorTaste(table, wish, shift, looked, lift, model.name, ground, own if same else None)


def scores_of(model: Recommender, user_id: str | None, taste: Taste) -> Floats | None:
    """Return a further recommender's scores (n_model_items,) for a shopper; None where it knows nothing of them."""
    scores = model.score(user_id, news_to(model, user_id, taste), sorted(taste.disliked))
    return None if scores.ground == "popularity" else np.asarray(scores.values, np.float32)


def news_to(model: Recommender, user_id: str | None, taste: Taste) -> tuple[str, ...]:
    """Return the liked items a model does not know of: one that knows the shopper brings their history along."""
    return taste.live if user_id is not None and user_id in model.users else taste.liked


def _with_visit(model: Recommender, values: Floats, taste: Taste, share: float) -> Floats:
    visit = model.score(None, taste.visit)
    if visit.ground == "popularity":  # the model knows none of the items
        return values
    return _standardised(values) + np.float32(share) * _standardised(np.asarray(visit.values, np.float32))


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-12), np.float32)


def percentiles(values: Floats) -> Floats:
    """Return values (n,) as shares of the distinct values below, 0 to 1; equals stay equal."""
    order, place = np.argsort(values, kind="stable"), np.zeros(len(values))
    ranked = values[order]
    place[order[1:]] = np.cumsum(ranked[1:] != ranked[:-1])
    return np.asarray(place / max(place.max(initial=0.0), 1.0), np.float32)
