"""One page of results, each with the evidence its place rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tools.pipeline.nouns import Closest, PipelineRequest, Ranked
from tools.pipeline.pool import Pool
from tools.pipeline.rerank import contributions, seen_features
from tools.pipeline.wish import unit_rows
from tools.shop import Shop
from tools.spaces import spaces_of
from tools.taste import Taste

if TYPE_CHECKING:
    from models.feature_table import FeatureTable

COMPARED = 20
"""Latest liked items a result is compared with to find the closest."""


class Told(Mapping[str, float]):
    """The contributions of one result: TreeSHAP takes as long as the ranking, so it runs when someone looks."""

    def __init__(self, page: Page, item_id: str) -> None:
        self._page, self._item_id = page, item_id

    def _values(self) -> Mapping[str, float]:
        return self._page.contributions.get(self._item_id, {})

    def __getitem__(self, name: str) -> float:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())


class Page:
    """What one page shares: the contributions of all its results are computed together, at the first look."""

    def __init__(self, told: Callable[[], dict[str, dict[str, float]]]) -> None:
        self._told = told

    @cached_property
    def contributions(self) -> dict[str, dict[str, float]]:
        """By item, what each feature added to its score."""
        return self._told()


def ranked_page(
    shop: Shop, request: PipelineRequest, taste: Taste, kept: Pool, table: FeatureTable | None
) -> tuple[Ranked, ...]:
    """Return the asked page of `kept` with matched words, the closest liked item and the ranker's contributions."""
    page = kept.take(np.arange(len(kept))[request.offset : request.offset + request.top_n])
    ids = shop.catalog.ids.at(page.rows)
    shared = Page(lambda: contributions(shop, table, ids))
    seen = seen_features(table, ids)
    near = closest(shop, request, taste, ids)
    keyword = shop.words
    chances = page.features.get("propensity")
    return tuple(
        Ranked(
            item_id=item_id,
            rank=request.offset + place + 1,
            score=float(page.score[place]),
            sources=page.sources(place),
            features={**seen.get(item_id, {}), **page.told(place)},
            matched=keyword.matched_terms(request.query, item_id) if keyword and request.query else (),
            contributions=Told(shared, item_id) if table is not None else {},
            closest=near.get(item_id),
            propensity=1.0 if chances is None else float(chances[place]),
        )
        for place, item_id in enumerate(ids)
    )


def closest(shop: Shop, request: PipelineRequest, taste: Taste, item_ids: Sequence[str]) -> dict[str, Closest]:
    """Return, for each item, the example (else the liked item) most like it, over all asked spaces."""
    reasons = {item_id: "example" for item_id in request.like} or dict(taste.why[-COMPARED:])
    found: dict[str, Closest] = {}
    for space in request.spaces if request.spaces is not None else spaces_of(shop):
        table = shop.table(space)
        examples = [item_id for item_id in reasons if item_id in table.ids]
        if not examples or not item_ids:
            continue
        likeness = unit_rows(table, item_ids) @ unit_rows(table, examples).T  # (n, examples)
        for n, item_id in enumerate(item_ids):
            others = [-2.0 if example == item_id else float(likeness[n, m]) for m, example in enumerate(examples)]
            best = max(range(len(examples)), key=others.__getitem__)
            if others[best] > 0 and (item_id not in found or others[best] > found[item_id].cosine):
                found[item_id] = Closest(examples[best], reasons[examples[best]], space, others[best])
    return found
