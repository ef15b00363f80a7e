"""The last stage: one place a parent, nothing out of stock, and a list that is not all alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tools.pipeline.score import Scored
from tools.pipeline.wish import unit_rows
from tools.shop import Shop

DIVERSE = 120
"""Best candidates among which a list is made diverse; what is worse keeps its order."""


@dataclass(frozen=True)
class Sifted:
    """What stays in order, and what went: item id -> reason.

    `variants` are by the item that kept their place; `unavailable` would have stood among the first `depth`.
    """

    kept: tuple[Scored, ...]
    drops: Mapping[str, str]
    variants: Mapping[str, tuple[str, ...]]
    unavailable: tuple[str, ...]


def sifted(shop: Shop, scored: Sequence[Scored], *, drop_unavailable: bool, one_a_parent: bool, depth: int) -> Sifted:
    """Keep what is in stock and the best variant of every parent, as far as asked."""
    kept: list[Scored] = []
    drops: dict[str, str] = {}
    unavailable: list[str] = []
    place: dict[str, str] = {}
    variants: dict[str, list[str]] = {}
    for each in scored:
        item = shop.catalog[each.item_id]
        if drop_unavailable and item.availability is False:
            drops[each.item_id] = "out of stock"
            if len(kept) + len(unavailable) < depth:
                unavailable.append(each.item_id)
            continue
        parent = item.parent_id if one_a_parent else None
        if parent is not None and parent in place:
            drops[each.item_id] = f"variant of {place[parent]}"
            variants.setdefault(place[parent], []).append(each.item_id)
            continue
        if parent is not None:
            place[parent] = each.item_id
        kept.append(each)
    return Sifted(tuple(kept), drops, {k: tuple(v) for k, v in variants.items()}, tuple(unavailable))


def diversified(shop: Shop, scored: Sequence[Scored], depth: int, weight: float) -> list[Scored]:
    """Order the first `depth` so that each is good and unlike those above it; the rest follows unchanged.

    Takes the item with the greatest `(1 - weight) * score - weight * max cosine to those taken`, the
    cosine averaged over the shop's spaces; scores are at most 1. A greater depth only adds to the list of a
    smaller one, so that pages fit together.

    Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking" (SIGIR 1998).
    """
    if len(scored) < 3 or weight == 0 or not shop.spaces:
        return list(scored)
    pool, rest = list(scored[:DIVERSE]), list(scored[DIVERSE:])
    ids = [each.item_id for each in pool]
    units = np.concatenate([unit_rows(table, ids) for table in shop.spaces.values()], axis=1)
    value = (1 - weight) * np.array([each.score for each in pool])
    likeness = np.zeros(len(pool))
    left = np.ones(len(pool), np.bool_)
    order: list[int] = []
    while left.any() and len(order) < depth:
        gain = np.where(left, value - weight * likeness, -np.inf)
        taken = int(gain.argmax())
        order.append(taken)
        left[taken] = False
        likeness = np.maximum(likeness, units @ units[taken] / len(shop.spaces))
    return [pool[n] for n in [*order, *np.flatnonzero(left)]] + rest
