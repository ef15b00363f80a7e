"""Reciprocal-rank fusion: several ranked lists become one, and each keeps its say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.ids import IdMap
from catalog.nouns import Candidate

RRF_K = 60


@dataclass(frozen=True, slots=True)
class SourceRank:
    """Where one source put an item: `rank` from 1, `score` on that source's own scale."""

    name: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Fused:
    """An item of the united list with what every source that proposed it said."""

    item_id: str
    score: float
    sources: tuple[SourceRank, ...]


def fuse(
    lists: Mapping[str, Sequence[Candidate]],
    items: IdMap,
    *,
    weights: Mapping[str, float] | None = None,
    k: int = RRF_K,
) -> list[Fused]:
    """Unite ranked lists: `score = sum_source weight / (k + rank)`, ties by lower row of `items`.

    Args:
        lists: Candidates by source name, best first.
        items: The id world that settles ties.
        weights: How much a source counts (1 where left out).
        k: How flat the top is.

    Source: Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods" (SIGIR 2009).
    """
    said: dict[str, list[SourceRank]] = {}
    scores: dict[str, float] = {}
    for name, candidates in lists.items():
        weight = (weights or {}).get(name, 1.0)
        for rank, candidate in enumerate(candidates, start=1):
            said.setdefault(candidate.item_id, []).append(SourceRank(name, rank, candidate.score))
            scores[candidate.item_id] = scores.get(candidate.item_id, 0.0) + weight / (k + rank)
    fused = [Fused(item_id, scores[item_id], tuple(sources)) for item_id, sources in said.items()]
    return sorted(fused, key=lambda f: (-f.score, items.row(f.item_id)))
