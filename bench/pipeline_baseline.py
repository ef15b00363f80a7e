"""The same two stages with the same models as most teams write them: pandas, full sorts, loops over candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalog.nouns import Candidate
from catalog.vectors import Floats, unit_rows
from models.features import FeatureContext, build_features
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.retrieve import LIKED, POPULARITY, weights_for
from tools.pipeline.session import session_of
from tools.pipeline.taste_scores import scores_of, taste_scores
from tools.pipeline.wish import taste_vectors
from tools.shop import Shop
from tools.taste import taste_of


class Naive:
    """Answers what `tools.pipeline.run.run` answers, from tables that are made once."""

    def __init__(self, shop: Shop) -> None:
        import pandas as pd  # type: ignore[import-untyped]

        self.shop = shop
        self.units = {name: unit_rows(table.vectors) for name, table in shop.spaces.items()}
        items = shop.catalog.items
        self.items = pd.DataFrame(
            {
                "item_id": [item.item_id for item in items],
                "parent_id": [item.parent_id for item in items],
                "available": [item.availability is not False for item in items],
                "popularity": shop.popularity,
            }
        )

    def recommend(self, request: PipelineRequest) -> list[str]:
        """Return the ids of the page."""
        shop, user_id = self.shop, request.shopper.user_id
        taste = taste_of(shop, request.shopper, request.now)
        parents = self.items[self.items.item_id.isin(taste.owned)].parent_id.dropna()
        hidden = self.items.item_id.isin(taste.owned | taste.disliked) | self.items.parent_id.isin(parents)
        allowed = self.items[~hidden]
        found = taste_scores(shop, request.shopper, taste)
        values: dict[str, Any] = {found.source: found.values}
        for name, model in shop.retrievers.items():
            known = scores_of(model, user_id, taste)
            if known is not None:
                by_id = dict(zip(model.items.ids, known.tolist(), strict=True))
                values[name] = self.items.item_id.map(by_id).to_numpy()
        for space, wish in taste_vectors(shop, taste.liked, sorted(taste.disliked), shop.pipeline).items():
            values[f"{LIKED}:{space}"] = self.units[space] @ (wish / np.linalg.norm(wish))
        values[POPULARITY] = self.items.popularity
        return self._ranked(request, taste, {name: self._best(allowed, each) for name, each in values.items()})

    def _best(self, allowed: Any, values: Any) -> list[tuple[str, float]]:
        scored = allowed.assign(score=np.asarray(values)[allowed.index]).dropna(subset="score")
        best = scored.sort_values("score", ascending=False, kind="stable").head(self.shop.pipeline.pool)
        return list(zip(best.item_id, best.score.astype(float), strict=True))

    def _ranked(self, request: PipelineRequest, taste: Any, lists: dict[str, list[tuple[str, float]]]) -> list[str]:
        shop = self.shop
        assert shop.statistics is not None and shop.ranker is not None
        weights = weights_for(dict.fromkeys(lists))  # type: ignore[arg-type]  # only the names are read
        fused: dict[str, float] = {}
        for name, found in lists.items():
            for rank, (item_id, _) in enumerate(found, start=1):
                fused[item_id] = fused.get(item_id, 0.0) + weights[name] / (60 + rank)
        candidates = [Candidate(item_id, score, name) for name, found in lists.items() for item_id, score in found]
        session = session_of(shop, request.shopper, request.now)
        context = FeatureContext(
            shop.statistics, request.shopper.user_id, taste.live, shop.recommender, shop.scorers, session
        )
        features = build_features(candidates, context, request.now).select(shop.ranker.names)
        scores = dict(zip(features.item_ids, shop.ranker.score(features).tolist(), strict=True))
        table = self.items[self.items.item_id.isin(fused)].copy()
        table["fused"], table["score"] = table.item_id.map(fused), table.item_id.map(scores)
        table = table[table.available].sort_values(["score", "fused"], ascending=False, kind="stable")
        whole = table.score.rank(method="dense") - 1
        table["score"] = whole / max(whole.max(), 1)
        table = table[table.parent_id.isna() | ~table.duplicated("parent_id")]
        return self._diverse(table.head(120), request.top_n)

    def _diverse(self, table: Any, depth: int) -> list[str]:
        shop, weight = self.shop, self.shop.pipeline.diversity
        left = dict(zip(table.item_id, table.score, strict=True))
        vectors: dict[str, Floats] = {
            item_id: np.concatenate([units[shop.catalog.ids.row(item_id)] for units in self.units.values()])
            for item_id in left
        }
        taken: list[str] = []
        while left and len(taken) < depth:
            gain = {
                item_id: (1 - weight) * score
                - weight * max((float(vectors[item_id] @ vectors[t]) / len(self.units) for t in taken), default=0.0)
                for item_id, score in left.items()
            }
            taken.append(max(gain, key=gain.__getitem__))
            del left[taken[-1]]
        return taken
