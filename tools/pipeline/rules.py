"""What may be shown at all: the filters asked for, and the rules of the house."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from catalog.filters import Filters
from catalog.ids import Rows
from catalog.vectors import Mask
from tools.pipeline.nouns import PipelineRequest
from tools.relaxation import Blocking, Constraint, blocking, constraints
from tools.shop import Shop
from tools.taste import Taste
from tools.vocabulary import named_categories

HOUSE_RULES = frozenset({"exclude", "owned", "disliked", "told", "asked about"})
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
    house, named = _house_rules(shop, request, taste), _named(shop, request)
    mask = np.ones(len(shop.catalog), np.bool_)
    for each in asked:
        mask &= each.passes
    for rule in house:
        mask[rule.rows] = False
    hidden = {each.field: len(each.passes) - int(np.count_nonzero(each.passes)) for each in asked}
    hidden |= {rule.field: len(rule.rows) for rule in house}
    stocked = request.filters.available is None
    left = mask & shop.in_stock if stocked else mask
    if (left if not named else left & named[0].passes).any():
        return Allowed(mask, None, hidden)
    stock = [Constraint("available", True, shop.in_stock, "stock")] if stocked else []
    found = blocking([*asked, *(rule.constraint(shop) for rule in house), *stock, *named])
    if found is not None:
        names = {found.field, *found.also}
        mask = np.zeros_like(mask) if names & HOUSE_RULES else found.allowed
    return Allowed(mask, found, hidden)


@dataclass(frozen=True, eq=False)
class _Hidden:
    """A rule of the house: its name, the ids it is about, and the rows (n,) it hides, each once, ascending."""

    field: str
    item_ids: Collection[str]
    rows: Rows

    def constraint(self, shop: Shop) -> Constraint:
        """Return it as a constraint that could be given up."""
        passes = np.ones(len(shop.catalog), np.bool_)
        passes[self.rows] = False
        beside = shop.catalog.ids.at(self.rows)
        given = sorted(self.item_ids) if isinstance(self.item_ids, frozenset) else self.item_ids
        return Constraint(self.field, [*dict.fromkeys([*given, *beside])], passes)


def _house_rules(shop: Shop, request: PipelineRequest, taste: Taste) -> list[_Hidden]:
    about: dict[str, Collection[str]] = {"exclude": request.exclude, "asked about": (*request.like, *request.unlike)}
    # The same thing in another colour is not something like it, nor news to who has it.
    families: dict[str, Collection[str]] = {"asked about": request.like if request.mode == "similar" else ()}
    if request.mode == "recommend":
        about |= {"owned": taste.owned, "disliked": taste.disliked}
        families["owned"] = taste.owned
    rules = []
    for name, item_ids in about.items():
        if item_ids and (hidden := _rows(shop, item_ids) | _family(shop, families.get(name, ()))):
            rules.append(_Hidden(name, item_ids, np.array(sorted(hidden), np.int64)))
    if request.mode == "recommend" and len(request.barred):
        rules.append(_Hidden("told", (), request.barred))
    return rules


def _rows(shop: Shop, item_ids: Collection[str]) -> set[int]:
    """Return the rows of the items that are in the catalogue."""
    return set(shop.catalog.ids.rows([*item_ids], missing=-1).tolist()) - {-1}


def _family(shop: Shop, item_ids: Collection[str]) -> set[int]:
    """Return the rows of every item that is a variant of one of these."""
    rows = _rows(shop, item_ids) if item_ids else None
    parents = set(shop.parents[[*rows]].tolist()) - {-1} if rows else ()
    return {row for parent in parents for row in shop.children[parent]}


def _named(shop: Shop, request: PipelineRequest) -> list[Constraint]:
    """The kind of thing the query names, where it names one and filters stand beside it."""
    named = named_categories(request.query, shop.facets) if request.query and not request.filters.empty else ()
    mask = shop.facets.mask(Filters(category=named))
    return [] if mask is None else [Constraint("query", request.query, mask, "core")]
