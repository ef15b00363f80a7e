"""One page of results, each with the evidence its place rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.pipeline.nouns import Closest, PipelineRequest, Ranked
from tools.pipeline.rerank import contributions
from tools.pipeline.score import Scored
from tools.pipeline.wish import unit_rows
from tools.shop import Shop
from tools.spaces import spaces_of
from tools.taste import Taste

if TYPE_CHECKING:
    from models.feature_table import FeatureTable

COMPARED = 20
"""Latest liked items a result is compared with to find the closest."""


def ranked_page(
    shop: Shop, request: PipelineRequest, taste: Taste, kept: Sequence[Scored], table: FeatureTable | None
) -> tuple[Ranked, ...]:
    """Return the asked page of `kept` with matched words, the closest liked item and the ranker's contributions."""
    page = kept[request.offset : request.offset + request.top_n]
    ids = [each.item_id for each in page]
    told = contributions(shop, table, ids)
    near = closest(shop, request, taste, ids)
    keyword = shop.words
    return tuple(
        Ranked(
            item_id=each.item_id,
            rank=request.offset + place,
            score=each.score,
            sources=each.sources,
            features=each.features,
            matched=keyword.matched_terms(request.query, each.item_id) if keyword and request.query else (),
            contributions=told.get(each.item_id, {}),
            closest=near.get(each.item_id),
        )
        for place, each in enumerate(page, start=1)
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
