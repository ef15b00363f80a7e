"""The learned re-ranker over retrieved candidates, with the features it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from catalog.nouns import Candidate
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.score import Scored
from tools.pipeline.session import session_of
from tools.pipeline.taste_scores import percentiles
from tools.shop import Shop
from tools.taste import Taste

if TYPE_CHECKING:
    from models.feature_table import FeatureTable


@dataclass(frozen=True, eq=False)
class Reranked:
    """Candidates in the ranker's order, and the features it saw (None: no ranker had a say)."""

    scored: list[Scored]
    table: FeatureTable | None = None


def reranked(
    shop: Shop,
    request: PipelineRequest,
    taste: Taste,
    lists: Mapping[str, Sequence[Candidate]],
    scored: list[Scored],
) -> Reranked:
    """Order candidates by the learned ranker, where there is one and the shopper has a past.

    Its score becomes a percentile among the candidates; beside it stands `ctr`, the chance of a click were the item
    shown first, where there is a click model. Candidates that came only from sources the
    ranker was not trained on follow behind, in their order.
    """
    store = shop.statistics
    if (
        (shop.ranker is None and shop.ctr is None)
        or store is None
        or taste.empty
        or not scored
        or request.now < store.as_of
    ):
        return Reranked(scored)
    from models.features import FeatureContext, build_features

    wanted = {each.item_id for each in scored}
    known = [c for name in store.config.sources for c in lists.get(name, ()) if c.item_id in wanted]
    if not known:
        return Reranked(scored)
    session = session_of(shop, request.shopper, request.now)
    user_id = request.shopper.user_id
    context = FeatureContext(store, user_id, taste.live, shop.recommender, shop.scorers, session)
    whole = build_features(known, context, request.now)
    clicks = {} if shop.ctr is None else dict(zip(whole.item_ids, shop.ctr.probability(whole).tolist(), strict=True))
    scored = [_with(each, "ctr", clicks.get(each.item_id)) for each in scored]
    if shop.ranker is None:
        return Reranked(scored)
    table = whole.select(shop.ranker.names)
    raw = shop.ranker.score(table)
    share = percentiles(raw)
    row = {item_id: n for n, item_id in enumerate(table.item_ids)}
    out = []
    for each in scored:
        at = row.get(each.item_id)
        if at is None:
            out.append(replace(each, score=0.0))
            continue
        told = _Seen(each.features, table, at, float(raw[at]))
        out.append(replace(each, score=float(share[at]), features=told))
    # Python's sort is stable: equal scores keep the fused order.
    return Reranked(sorted(out, key=lambda s: (s.item_id not in row, -s.score)), table)


class _Seen(Mapping[str, float]):
    """What a candidate's place rests on, put together when asked: only those of a page ever are."""

    def __init__(self, base: Mapping[str, float], table: FeatureTable, row: int, score: float) -> None:
        self._base, self._table, self._row, self._score = base, table, row, score

    @cached_property
    def _all(self) -> dict[str, float]:
        row = zip(self._table.names, self._table.values[self._row], strict=True)
        return {
            **self._base,
            **{name: float(value) for name, value in row if np.isfinite(value)},
            "ranker": self._score,
        }

    def __getitem__(self, name: str) -> float:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _with(scored: Scored, name: str, value: float | None) -> Scored:
    return scored if value is None else replace(scored, features={**scored.features, name: value})


def contributions(shop: Shop, table: FeatureTable | None, item_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return, for the items of a page, what each feature added to the ranker's score, greatest first."""
    if table is None or shop.ranker is None:
        return {}
    from models.feature_table import FeatureTable

    at = [n for n, item_id in enumerate(table.item_ids) if item_id in set(item_ids)]
    told = shop.ranker.explain(FeatureTable(table.names, tuple(table.item_ids[n] for n in at), table.values[at]))
    return {
        table.item_ids[n]: {
            told.names[f]: float(told.values[place, f]) for f in np.argsort(-np.abs(told.values[place]), kind="stable")
        }
        for place, n in enumerate(at)
    }
