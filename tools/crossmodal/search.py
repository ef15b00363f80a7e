"""`find`: a query of any mix of media through the pipeline, with a score for every way an item can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexes.base import Query
from indexes.job import KEYWORD
from tools.crossmodal.config import Modality
from tools.crossmodal.media import MediaQuery
from tools.crossmodal.spaces import modality_of, reached
from tools.crossmodal.wish import MediaWish, wish_of
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.run import run
from tools.pipeline.wish import cosines
from tools.shop import Shop

Scores = Mapping[Modality, float | None]


@dataclass(frozen=True)
class Found:
    """What was found, and how.

    Attributes:
        result: The page.
        request: As the pipeline was asked.
        wish: What the query came to.
        searched: Space by modality (`keyword` for words).
        scores: By item id: BM25 for `keyword`, the cosine in its space for the others; None where the item has nothing
            there to compare.
    """

    result: PipelineResult
    request: PipelineRequest
    wish: MediaWish
    searched: Mapping[Modality, str]
    scores: Mapping[str, Scores]


def find(shop: Shop, query: MediaQuery, request: PipelineRequest) -> Found:
    """Search by a query's words, voice, picture and film.

    Args:
        shop: With the senses that the media need.
        query: What is looked for; its text takes the place of `request.query`.
        request: Who asks; filters, examples, sort and page.

    Raises:
        NotBuiltError: When nothing here can look at one of the media.
        MediaError: When nobody is heard in a voice that is all there is.
        ToolRetry: When the sort is not possible in this shop.
    """
    wish = wish_of(shop, query)
    request = replace(request, query=wish.words)
    if wish.vectors:
        weights = _weights(shop)
        spaces = tuple(space for space in reached(shop) if weights.get(space, 1.0) > 0)
        unite = shop.senses.config.unite
        request = replace(request, vectors=wish.vectors, weights=weights, spaces=spaces, unite=unite)
    result = run(shop, request)
    ids = [each.item_id for each in result.ranked]
    searched, scores = modality_scores(shop, request, result, ids)
    return Found(result, request, wish, searched, scores)


def modality_scores(
    shop: Shop, request: PipelineRequest, result: PipelineResult, item_ids: Sequence[str]
) -> tuple[dict[Modality, str], dict[str, dict[Modality, float | None]]]:
    """Return which space answered for each modality, and what each item scores there; see `Found`."""
    searched: dict[Modality, str] = {}
    scores: dict[str, dict[Modality, float | None]] = {item_id: {} for item_id in item_ids}
    if request.query and KEYWORD in shop.indexes and item_ids:
        searched["keyword"] = KEYWORD
        for item_id, score in _keyword_scores(shop, request.query, item_ids).items():
            scores[item_id]["keyword"] = score
    for space, wish in result.wishes.items():
        modality = modality_of(space)
        if modality is None or modality in searched:
            continue
        searched[modality] = space
        table = shop.table(space)
        for item_id, value in zip(item_ids, cosines(table, wish, item_ids).tolist(), strict=True):
            scores[item_id][modality] = round(value, 6) if item_id in table.ids else None
    return searched, scores


def _keyword_scores(shop: Shop, query: str, item_ids: Sequence[str]) -> dict[str, float | None]:
    """Return the BM25 of each item, 0 where it shares no word, None where it is not indexed."""
    rows = shop.indexes[KEYWORD].items.rows(list(item_ids), missing=-1)
    wanted = np.zeros(len(shop.indexes[KEYWORD].items), np.bool_)
    wanted[rows[rows >= 0]] = True
    found = shop.indexes[KEYWORD].search(Query(text=query), len(item_ids), allowed=wanted)
    said = {each.item_id: round(each.score, 6) for each in found}
    return {item_id: said.get(item_id, 0.0 if item_id in shop.indexes[KEYWORD].items else None) for item_id in item_ids}


def _weights(shop: Shop) -> dict[str, float]:
    """Return how much each source counts."""
    chosen = shop.senses.config.weights
    found = {space: chosen[kind] for space in reached(shop) if (kind := modality_of(space)) in chosen}
    return {**found, KEYWORD: chosen.get("keyword", 1.0)}
