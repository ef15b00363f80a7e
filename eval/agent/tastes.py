"""Hidden tastes made askable: what a generated shop's shoppers love, as wishes they could say aloud."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from catalog.boutique.truth import Truth
from catalog.items import Catalog
from eval.agent.generate import Leaning

BEST = 20
"""Of a shopper's best items, one is aimed at."""


def leanings(
    truth: Truth, catalog: Catalog, taken: Mapping[str, Collection[str]], *, n: int, seed: int
) -> tuple[Leaning, ...]:
    """Return `n` shoppers, each with an item in stock that meets their taste and is new to them.

    Args:
        truth: The hidden tastes.
        catalog: The shop's records.
        taken: Item ids of each shopper's past, which they would not look for again.
        n: How many; fewer where the shop has fewer shoppers.
        seed: Of the drawing.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(truth.users))[:n].tolist()
    found = []
    for row in chosen:
        user_id = truth.users.ids[row]
        known = set(taken.get(user_id, ()))
        stocked = {item.item_id for item in catalog if item.availability is not False} - known
        best = truth.ideal_items(user_id, BEST, among=stocked)
        if best:
            item = catalog[best[int(rng.integers(len(best)))]]
            found.append(Leaning(user_id, item, _cares(truth, user_id, item.item_id)))
    return tuple(found)


def _cares(truth: Truth, user_id: str, item_id: str) -> tuple[str, ...]:
    """Names of the factors that speak most for the item in this shopper's eyes, most first."""
    taste, levels = truth.user_taste(user_id), truth.item_factors(item_id)
    weights = {name: taste[name][level] for name, level in levels.items() if level is not None}
    return tuple(sorted(weights, key=lambda name: (-weights[name], name)))
