"""The learned re-ranker over retrieved candidates, with the features it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from catalog.ids import Rows
from catalog.nouns import Interaction
from catalog.vectors import Floats
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.pool import Column, Pool, Proposed
from tools.pipeline.session import session_of
from tools.pipeline.taste_scores import percentiles
from tools.shop import Shop
from tools.taste import Taste

if TYPE_CHECKING:
    from models.feature_table import FeatureTable


@dataclass(frozen=True, eq=False)
class Reranked:
    """Candidates in the ranker's order, the features it saw (None: no ranker had a say), and their catalogue rows."""

    scored: Pool
    table: FeatureTable | None = None
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def seen(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return which of some catalogue rows (m,) the ranker saw, as places among them, and their rows in `table`."""
        places, at = np.nonzero(rows[:, None] == self.rows)
        return places, at


def reranked(
    shop: Shop,
    request: PipelineRequest,
    taste: Taste,
    lists: Mapping[str, Proposed],
    scored: Pool,
    past: Sequence[Interaction] | None = None,
    plain: Callable[[Rows], Floats | None] = lambda _: None,
) -> Reranked:
    """Order candidates by the learned ranker, where there is one and the shopper has a past.

    Its score becomes a percentile among the candidates; beside it stands `ctr`, the chance of a click were the item
    shown first, where there is a click model. Candidates that came only from sources the
    ranker was not trained on follow behind, in their order.

    Args:
        shop: Where.
        request: Who asks, and when.
        taste: What is known of them.
        lists: What each source proposed.
        scored: Their union.
        past: Their live events, where they were read already.
        plain: Gives the served model's scores of this shopper at catalogue rows, where they are known already.
    """
    store = shop.statistics
    if (
        (shop.ranker is None and shop.ctr is None)
        or store is None
        or taste.empty
        or not len(scored)
        or request.now < store.as_of
    ):
        return Reranked(scored)
    from models.features import FeatureContext, proposed_features

    known = {name: lists[name] for name in store.config.sources if name in lists}
    if not sum(len(each) for each in known.values()):
        return Reranked(scored)
    every = np.concatenate([each.rows for each in known.values()])
    met, first, which = np.unique(every, return_index=True, return_inverse=True)
    order = np.argsort(first)  # as training has them: in order of appearance
    rows, seat = met[order], np.empty_like(order)
    seat[order] = np.arange(len(order))
    proposed, places = {}, seat[which]
    for name, each in known.items():
        proposed[name] = (places[: len(each)], each.scores)
        places = places[len(each) :]
    session = session_of(shop, request.shopper, request.now, past)
    user_id = request.shopper.user_id
    context = FeatureContext(store, user_id, taste.live, shop.recommender, shop.scorers, session, plain(rows))
    whole = proposed_features(rows, proposed, context, request.now)
    found = np.minimum(met.searchsorted(scored.rows), len(met) - 1)
    place = np.where(met[found] == scored.rows, seat[found], -1)
    if shop.ctr is not None:
        scored = scored.noted(ctr=_spread(shop.ctr.probability(whole), place))
    if shop.ranker is None:
        return Reranked(scored)
    table = whole.select(shop.ranker.names)
    raw = shop.ranker.score(table)
    unknown = place < 0
    share = np.where(unknown, -1.0, percentiles(raw)[place])
    ranked = scored.scored(share, ranker=_spread(raw, place))
    return Reranked(replace(ranked, score=np.maximum(ranked.score, 0.0)), table, rows)


def _spread(values: Column, place: Rows) -> Column:
    """Return values of the table's rows for the candidates, NaN for those that are not in it."""
    return np.where(place >= 0, values[place].astype(np.float64), np.nan)


def contributions(shop: Shop, order: Reranked | None, rows: Rows) -> dict[int, dict[str, float]]:
    """Return, for the places of a page of catalogue rows, what each feature added to the score, greatest first."""
    if order is None or order.table is None or shop.ranker is None:
        return {}
    places, at = order.seen(rows)
    told = shop.ranker.explain(order.table.rows(at))
    return {
        place: {told.names[f]: float(values[f]) for f in np.argsort(-np.abs(values), kind="stable")}
        for place, values in zip(places.tolist(), told.values, strict=True)
    }
