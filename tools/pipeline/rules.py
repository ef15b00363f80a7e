"""What may be shown at all: the filters asked for, and the rules of the house."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from catalog.filters import Filters
from catalog.vectors import Mask
from tools.pipeline.nouns import PipelineRequest
from tools.relaxation import Blocking, Constraint, blocking, constraints
from tools.shop import Shop
from tools.taste import Taste
from tools.vocabulary import named_categories

HOUSE_RULES = frozenset({"exclude", "owned", "disliked", "asked about"})
"""Rules nobody asked for as a filter; what they hide is never offered as the nearest."""


@dataclass(frozen=True)
class Allowed:
    """Rows that may be shown, (n_items,) bool; what blocks when none may; how many rows each rule alone hides."""

    mask: Mask
    blocking: Blocking | None
    hidden: dict[str, int]


def allowed_rows(shop: Shop, request: PipelineRequest, taste: Taste) -> Allowed:
    """Apply filters and house rules.

    Out-of-stock items stay among the rows unless `filters.available` says otherwise (the last stage sets
    them aside, so that an answer can say what is out of stock), but they do not count as something left.
    Neither does what the words of the wish do not name: a mug below ten is no answer to a vase below ten.
    """
    asked = constraints(request.filters, shop.facets)
    house = _house_rules(shop, request, taste)
    stock: list[Constraint] = []
    if request.filters.available is None:
        stock = [Constraint("available", True, shop.in_stock, "stock")]
    every = [*asked, *house]
    mask = np.ones(len(shop.catalog), np.bool_)
    for each in every:
        mask &= each.passes
    found = blocking([*every, *stock, *_named(shop, request)])
    if found is not None:
        names = {found.field, *found.also}
        mask = np.zeros_like(mask) if names & HOUSE_RULES else found.allowed
    return Allowed(mask, found, {e.field: len(e.passes) - int(np.count_nonzero(e.passes)) for e in every})


def _house_rules(shop: Shop, request: PipelineRequest, taste: Taste) -> list[Constraint]:
    hidden: dict[str, list[str]] = {"exclude": [*request.exclude]}
    hidden["asked about"] = [*request.like, *request.unlike]
    if request.mode == "similar":
        # The same thing in another colour is not something like it.
        hidden["asked about"] += _variants(shop, request.like)
    if request.mode == "recommend":
        hidden["owned"] = [*sorted(taste.owned), *_variants(shop, taste.owned)]
        hidden["disliked"] = sorted(taste.disliked)
    rules = []
    for name, item_ids in hidden.items():
        rows = shop.catalog.ids.rows(item_ids, missing=-1)
        if (rows >= 0).any():
            passes = np.ones(len(shop.catalog), np.bool_)
            passes[rows[rows >= 0]] = False
            rules.append(Constraint(name, item_ids, passes))
    return rules


def _named(shop: Shop, request: PipelineRequest) -> list[Constraint]:
    """The kind of thing the query names, where it names one and filters stand beside it."""
    named = named_categories(request.query, shop.facets) if request.query and not request.filters.empty else ()
    mask = shop.facets.mask(Filters(category=named))
    return [] if mask is None else [Constraint("query", request.query, mask, "core")]


def _variants(shop: Shop, item_ids: Iterable[str]) -> list[str]:
    rows = shop.catalog.ids.rows(list(item_ids), missing=-1)
    parents = np.unique(shop.parents[rows[rows >= 0]])
    return [shop.catalog.ids.ids[row] for parent in parents[parents >= 0].tolist() for row in shop.children[parent]]
