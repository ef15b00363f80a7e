"""The second stage: one score for every candidate, with the named features it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from catalog.vectors import Floats
from indexes.job import KEYWORD
from tools.pipeline.config import PipelineConfig
from tools.pipeline.factor_taste import FactorTaste
from tools.pipeline.pool import Column, Pool
from tools.pipeline.taste_scores import TasteScores, percentiles
from tools.pipeline.wish import cosines_at
from tools.shop import Shop


def by_relevance(
    shop: Shop,
    fused: Pool,
    wishes: Mapping[str, Floats],
    scores: TasteScores | FactorTaste | None,
    config: PipelineConfig,
    *,
    taste_share: float,
    relevance: Floats | None = None,
) -> Pool:
    """Score candidates of a wish: what was asked for dominates, taste settles what is nearly equal.

    `relevance = words_share * bm25 / best bm25 + (1 - words_share) * cosine / best cosine` (cosines
    averaged over the spaces; a side nobody scores on leaves its share to the other), and
    `score = (1 - taste_share) * relevance + taste_share * taste`, where `taste` is the percentile of
    the model's score among the candidates. So taste can lift an item over another only when their
    relevance differs by less than `taste_share / (1 - taste_share)` (0.11 by default; 1 where filters say it all).

    `relevance` (n,) takes the place of that sum where it is given: a picture's cosines and those of words are on
    scales of their own, and their mean would be that of the widest.

    Ties go to the better fused rank, then the lower row.
    """
    if not len(fused):
        return fused
    words = _share(keyword_scores(fused))
    near = [cosines_at(shop, space, wish, fused.rows) for space, wish in wishes.items()]
    cosine = np.mean(near, axis=0) if near else np.zeros(len(fused), np.float32)
    meaning = _share(cosine)
    w = config.words_share if words.any() and meaning.any() else float(words.any())
    if relevance is None:
        relevance = w * words + (1 - w) * meaning
    taste = np.zeros(len(fused), np.float32) if scores is None else percentiles(scores.at(fused.rows))
    share = 0.0 if scores is None else taste_share
    return fused.scored(
        (1 - share) * relevance + share * taste,
        relevance=relevance,
        words=words,
        meaning=meaning,
        cosine=cosine,
        taste=taste,
        fused=fused.score,
    )


def by_fusion(fused: Pool, scores: TasteScores | FactorTaste) -> Pool:
    """Score candidates of a recommendation by their fused rank, scaled to at most 1."""
    if not len(fused):
        return fused
    best = float(fused.score[0]) or 1.0
    noted = fused.noted(fused=fused.score, taste=percentiles(scores.at(fused.rows)))
    return replace(noted, score=fused.score / best)


def relevant(shop: Shop, scored: Pool, query: str | None, config: PipelineConfig) -> Pool:
    """Return what a search sorted by something else than relevance is about.

    The items that carry every word of the wish the shop has, when there are any; else those with
    at least `config.relevant` of the best relevance.
    """
    keyword = shop.words
    if query and keyword is not None:
        known = keyword.known_terms(query)
        ids = shop.catalog.ids.at(scored.rows) if known else []
        full = [n for n, item_id in enumerate(ids) if len(keyword.matched_terms(query, item_id)) == len(known)]
        if full:
            return scored.take(np.array(full, np.int64))
    if not len(scored):
        return scored
    relevance = scored.features["relevance"].astype(np.float64)
    return scored.take(relevance >= config.relevant * relevance.max())


def keyword_scores(fused: Pool) -> Column:
    """Return the best BM25 that words gave each candidate, (n,), 0 where no word did."""
    mine = [at for at, name in enumerate(fused.names) if name.split(":", 1)[0] == KEYWORD]
    best: Column = np.nan_to_num(fused.said[:, mine]).max(axis=1, initial=0.0)
    return best


def _share(values: Column) -> Floats:
    positive = np.maximum(np.asarray(values, np.float32), 0)
    return np.asarray(positive / (positive.max() or 1.0), np.float32)
