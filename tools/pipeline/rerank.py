"""The learned re-ranker over retrieved candidates, with the features it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """Candidates in the ranker's order, and the features it saw (None: no ranker had a say)."""

    scored: Pool
    table: FeatureTable | None = None


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

    known = {name: (lists[name].rows, lists[name].scores) for name in store.config.sources if name in lists}
    if not sum(len(rows) for rows, _ in known.values()):
        return Reranked(scored)
    every = np.concatenate([rows for rows, _ in known.values()])
    rows = every[np.sort(np.unique(every, return_index=True)[1])]  # as training has them: in order of appearance
    session = session_of(shop, request.shopper, request.now, past)
    user_id = request.shopper.user_id
    context = FeatureContext(store, user_id, taste.live, shop.recommender, shop.scorers, session, plain(rows))
    whole = proposed_features(rows, known, context, request.now)
    order = np.argsort(rows)
    found = order[np.minimum(np.searchsorted(rows, scored.rows, sorter=order), len(rows) - 1)]
    place = np.where(rows[found] == scored.rows, found, -1)
    if shop.ctr is not None:
        scored = scored.noted(ctr=_spread(shop.ctr.probability(whole), place))
    if shop.ranker is None:
        return Reranked(scored)
    table = whole.select(shop.ranker.names)
    raw = shop.ranker.score(table)
    unknown = place < 0
    share = np.where(unknown, -1.0, percentiles(raw)[place])
    ranked = scored.scored(share, ranker=_spread(raw, place))
    return Reranked(replace(ranked, score=np.maximum(ranked.score, 0.0)), table)


def _spread(values: Column, place: Rows) -> Column:
    """Return values of the table's rows for the candidates, NaN for those that are not in it."""
    return np.where(place >= 0, values[place].astype(np.float64), np.nan)


def seen_features(table: FeatureTable | None, item_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return, for the items of a page, the features the ranker saw, those that are known."""
    if table is None:
        return {}
    wanted = set(item_ids)
    rows = [n for n, item_id in enumerate(table.item_ids) if item_id in wanted]
    return {
        table.item_ids[n]: {name: value for name, value in zip(table.names, values, strict=True) if value == value}
        for n, values in zip(rows, table.values[rows].tolist(), strict=True)
    }


def contributions(shop: Shop, table: FeatureTable | None, item_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return, for the items of a page, what each feature added to the ranker's score, greatest first."""
    if table is None or shop.ranker is None:
        return {}
    from models.feature_table import FeatureTable

    wanted = set(item_ids)
    at = [n for n, item_id in enumerate(table.item_ids) if item_id in wanted]
    told = shop.ranker.explain(FeatureTable(table.names, tuple(table.item_ids[n] for n in at), table.values[at]))
    return {
        table.item_ids[n]: {
            told.names[f]: float(told.values[place, f]) for f in np.argsort(-np.abs(told.values[place]), kind="stable")
        }
        for place, n in enumerate(at)
    }
