"""The second stage: one score for every candidate, with the named features it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from catalog.vectors import Floats
from indexes.fusion import Fused, SourceRank
from indexes.job import KEYWORD
from tools.pipeline.config import PipelineConfig
from tools.pipeline.taste_scores import TasteScores, percentiles
from tools.pipeline.wish import cosines
from tools.shop import Shop


@dataclass(frozen=True)
class Scored:
    """A candidate with its score, where it came from and what the score is made of."""

    item_id: str
    score: float
    sources: tuple[SourceRank, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)


def by_relevance(
    shop: Shop,
    fused: Sequence[Fused],
    wishes: Mapping[str, Floats],
    scores: TasteScores | None,
    config: PipelineConfig,
    *,
    relevance: Floats | None = None,
) -> list[Scored]:
    """Score candidates of a wish: what was asked for dominates, taste settles what is nearly equal.

    `relevance = words_share * bm25 / best bm25 + (1 - words_share) * cosine / best cosine` (cosines
    averaged over the spaces; a side nobody scores on leaves its share to the other), and
    `score = (1 - taste_share) * relevance + taste_share * taste`, where `taste` is the percentile of
    the model's score among the candidates. So taste can lift an item over another only when their
    relevance differs by less than `taste_share / (1 - taste_share)` (0.11 by default).

    `relevance` (n,) takes the place of that sum where it is given: a picture's cosines and those of words are on
    scales of their own, and their mean would be that of the widest.

    Ties go to the better fused rank, then the lower row.
    """
    ids = [each.item_id for each in fused]
    if not ids:
        return []
    words = _share([_from_keywords(each) for each in fused])
    near = [cosines(shop.table(space), wish, ids) for space, wish in wishes.items()]
    cosine = np.mean(near, axis=0) if near else np.zeros(len(ids), np.float32)
    meaning = _share(cosine)
    w = config.words_share if words.any() and meaning.any() else float(words.any())
    if relevance is None:
        relevance = w * words + (1 - w) * meaning
    taste = np.zeros(len(ids), np.float32) if scores is None else percentiles(_of(shop, scores, ids))
    share = 0.0 if scores is None else config.taste_share
    total = (1 - share) * relevance + share * taste
    scored = [
        Scored(
            each.item_id,
            float(total[n]),
            each.sources,
            {
                "relevance": float(relevance[n]),
                "words": float(words[n]),
                "meaning": float(meaning[n]),
                "cosine": float(cosine[n]),
                "taste": float(taste[n]),
                "fused": each.score,
            },
        )
        for n, each in enumerate(fused)
    ]
    return sorted(scored, key=lambda s: -s.score)


def by_fusion(shop: Shop, fused: Sequence[Fused], scores: TasteScores) -> list[Scored]:
    """Score candidates of a recommendation by their fused rank, scaled to at most 1."""
    if not fused:
        return []
    taste = percentiles(_of(shop, scores, [each.item_id for each in fused]))
    best = fused[0].score or 1.0
    return [
        Scored(each.item_id, each.score / best, each.sources, {"fused": each.score, "taste": float(t)})
        for each, t in zip(fused, taste, strict=True)
    ]


def relevant(shop: Shop, scored: Sequence[Scored], query: str | None, config: PipelineConfig) -> list[Scored]:
    """Return what a search sorted by something else than relevance is about.

    The items that carry every word of the wish the shop has, when there are any; else those with
    at least `config.relevant` of the best relevance.
    """
    keyword = shop.words
    if query and keyword is not None:
        known = keyword.known_terms(query)
        full = [s for s in scored if known and len(keyword.matched_terms(query, s.item_id)) == len(known)]
        if full:
            return full
    bar = config.relevant * max((s.features["relevance"] for s in scored), default=0.0)
    return [s for s in scored if s.features["relevance"] >= bar]


def _from_keywords(fused: Fused) -> float:
    said = [source.score for source in fused.sources if source.name.split(":", 1)[0] == KEYWORD]
    return max(said, default=0.0)


def _share(values: Sequence[float] | Floats) -> Floats:
    positive = np.maximum(np.asarray(values, np.float32), 0)
    return np.asarray(positive / (positive.max() or 1.0), np.float32)


def _of(shop: Shop, scores: TasteScores, item_ids: Sequence[str]) -> Floats:
    return np.asarray(scores.values[shop.catalog.ids.rows(item_ids)], np.float32)
