"""The last stage: one place a parent, nothing out of stock, and a list that is not all alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tools.pipeline.config import PipelineConfig
from tools.pipeline.pool import Pool
from tools.pipeline.wish import units_at
from tools.shop import Shop

DIVERSE = 120
"""Best candidates among which a list is made diverse; what is worse keeps its order."""


@dataclass(frozen=True)
class Sifted:
    """What stays in order, and what went: item id -> reason.

    `variants` are by the item that kept their place; `unavailable` would have stood among the first `depth`.
    """

    kept: Pool
    drops: Mapping[str, str]
    variants: Mapping[str, tuple[str, ...]]
    unavailable: tuple[str, ...]


def sifted(shop: Shop, scored: Pool, *, drop_unavailable: bool, one_a_parent: bool, depth: int) -> Sifted:
    """Keep what is in stock and the best variant of every parent, as far as asked."""
    ids = shop.catalog.ids.ids
    drops: dict[str, str] = {}
    variants: dict[str, tuple[str, ...]] = {}
    gone = ~shop.in_stock[scored.rows] if drop_unavailable else np.zeros(len(scored), np.bool_)
    stays = ~gone
    first: dict[int, int] = {}  # by parent, the place of its best variant
    keeper: dict[int, int] = {}
    if one_a_parent:
        codes = shop.parents[scored.rows]
        there = np.flatnonzero(stays & (codes >= 0))
        for place, code in zip(there.tolist(), codes[there].tolist(), strict=True):
            if first.setdefault(code, place) != place:
                keeper[place] = first[code]
        stays[list(keeper)] = False
    # Of what is gone, those that would have stood on the page: behind fewer than `depth` that stand or would have.
    missed = np.flatnonzero(gone)
    before = np.cumsum(stays)[missed] + np.arange(len(missed))
    unavailable = tuple(shop.catalog.ids.at(scored.rows[missed[before < depth]]))
    for place in np.flatnonzero(~stays).tolist():
        item_id = ids[scored.rows[place]]
        if place not in keeper:
            drops[item_id] = "out of stock"
            continue
        other = ids[scored.rows[keeper[place]]]
        drops[item_id] = f"variant of {other}"
        variants[other] = (*variants.get(other, ()), item_id)
    return Sifted(scored.take(np.flatnonzero(stays)), drops, variants, unavailable)


def diversified(shop: Shop, scored: Pool, depth: int, config: PipelineConfig, among: int | None = None) -> Pool:
    """Order the first `depth` so that each is good and unlike those above it; the rest follows unchanged.

    Takes the item with the greatest `(1 - diversity) * score - diversity * max cosine to those taken`, the
    cosine averaged over the shop's spaces; scores are at most 1. Of the first `category_depth` at most `category_cap`
    have the same narrowest category, as long as there are others among those looked at. A greater depth only adds to
    the list of a smaller one, so that pages fit together. What stands behind the first `among` stays there.

    Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking" (SIGIR 1998).
    """
    weight, cap = (config.diversity if shop.spaces else 0.0), config.category_cap
    if len(scored) < 3 or (weight == 0 and not cap):
        return scored
    size = min(DIVERSE, len(scored) if among is None else among)
    rows = scored.rows[:size]
    kinds = shop.narrowest[rows]
    units = [units_at(shop, space, rows) for space in shop.spaces] if weight else [np.zeros((size, 1), np.float32)]
    together = np.concatenate(units, axis=1)
    value = (1 - weight) * scored.score[:size]
    likeness = np.zeros(size)
    taken_of: Counter[int] = Counter()
    full = np.zeros(size, np.bool_)
    order: list[int] = []
    while len(order) < min(depth, size):
        gain = value - weight * likeness
        if full.any() and len(order) < config.category_depth:
            below = np.where(full, -np.inf, gain)
            gain = below if below.max() > -np.inf else gain
        taken = int(gain.argmax())
        order.append(taken)
        value[taken] = -np.inf
        if weight:
            likeness = np.maximum(likeness, together @ together[taken] / len(shop.spaces))
        if cap:
            kind = int(kinds[taken])
            taken_of[kind] += 1
            if kind >= 0 and taken_of[kind] == cap:
                full |= kinds == kind
    left = np.flatnonzero(value > -np.inf)
    return scored.take(np.concatenate([order, left, np.arange(size, len(scored))]).astype(np.int64))
