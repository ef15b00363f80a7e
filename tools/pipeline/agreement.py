"""How far several ways to answer a wish agree on each candidate, whatever scale each one's scores are on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog.vectors import Floats
from indexes.job import KEYWORD
from tools.pipeline.pool import Pool
from tools.pipeline.score import keyword_scores
from tools.pipeline.wish import cosines_at, unit_rows
from tools.shop import Shop

_PART = 10_000
"""Rows whose unit vectors are in memory at a time."""


def agreed_scores(shop: Shop, fused: Pool, wishes: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the weighted mean (n,) over all ways of how well each candidate answers, 0 to 1.

    In a space that is `(cosine - mean) / (best - mean)`, the mean being that of all its items: 1 is the best candidate
    and 0 the usual item, on whatever scale its cosines are, and what has no vector there counts as usual. Words shared
    count as their share of the best BM25.

    Source: min-max normalisation before CombSUM, Lee, "Analyses of multiple evidence combination" (SIGIR 1997), with
    the mean in place of the minimum, which a single odd item would set.
    """
    total, weight = np.zeros(len(fused), np.float64), 0.0
    said = keyword_scores(fused)
    if said.any():
        weight += weights.get(KEYWORD, 1.0)
        total += weights.get(KEYWORD, 1.0) * said / said.max()
    for space, wish in wishes.items():
        counts = weights.get(space, 1.0)
        near = cosines_at(shop, space, wish, fused.rows).astype(np.float64)
        there = shop.table_rows[space][fused.rows] >= 0
        usual = float(_centre(shop, space) @ wish / (np.linalg.norm(wish) or 1.0))
        best = float(near[there].max()) if there.any() else usual
        if best > usual:
            total += counts * np.where(there, np.maximum(near - usual, 0) / (best - usual), 0)
        weight += counts
    return np.asarray(total / (weight or 1.0), np.float32)


def _centre(shop: Shop, space: str) -> Floats:
    """Return the mean (d,) of a space's unit vectors, summed once a shop."""
    if space not in shop.centres:
        table = shop.table(space)
        parts = range(0, len(table.ids), _PART)
        sums = [unit_rows(table, table.ids.ids[at : at + _PART]).sum(axis=0, dtype=np.float64) for at in parts]
        shop.centres[space] = np.asarray(np.sum(sums, axis=0) / max(1, len(table.ids)), np.float32)
    return shop.centres[space]
