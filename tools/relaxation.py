"""Which one constraint leaves nothing, and how many items pass without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from catalog.filters import Filters
from catalog.vectors import Mask
from indexes.facets import FacetIndex

_COSTS = ("stock", "filter", "core")


@dataclass(frozen=True)
class Constraint:
    """One thing asked for: its name on the wire, its value, and which rows satisfy it, (n_items,) bool.

    What costs the shopper least is given up first: `stock` (the very thing exists, but is not there now),
    then any `filter`, then the `core`, what the wish is about.
    """

    field: str
    value: Any
    passes: Mask
    cost: Literal["stock", "filter", "core"] = "filter"


@dataclass(frozen=True)
class Blocking:
    """The constraint to give up for something to be left.

    Attributes:
        field: Its name, e.g. `price`, `brand`, `attributes.colour`, `not.attributes.material`, `available`.
        value: What was asked.
        relaxed: How many items pass without it (and without `also`).
        allowed: (n_items,) which.
        also: Further constraints that must go as well, when no single one is enough.
    """

    field: str
    value: Any
    relaxed: int
    allowed: Mask = dataclasses.field(repr=False, compare=False)
    also: tuple[str, ...] = ()

    def as_fact(self) -> dict[str, Any]:
        """Return the wire form: `{"field", "value", "relaxed"}`, and `also` when there is more than one."""
        fact: dict[str, Any] = {"field": self.field, "value": self.value, "relaxed": self.relaxed}
        return {**fact, "also": list(self.also)} if self.also else fact


def constraints(filters: Filters, facets: FacetIndex) -> list[Constraint]:
    """Return every single constraint of `filters`, each with the rows it lets pass."""
    if filters.empty:
        return []
    found = [Constraint(*each) for each in _leaves(filters, facets, "")]
    if filters.not_ is not None:
        found += [Constraint(name, value, ~mask) for name, value, mask in _leaves(filters.not_, facets, "not.")]
    return found


def blocking(asked: list[Constraint]) -> Blocking | None:
    """Return the smallest set of constraints without which something is left, None when something is left already.

    Of several single constraints of equal cost the one that keeps the list most specific is named: the fewest
    items, but at least one, pass without it. When no single one is enough, pairs are tried, then all.
    """
    if not asked or _passing(asked).any():
        return None
    for size in (1, 2, len(asked)):
        options = []
        for dropped in combinations(asked, min(size, len(asked))):
            allowed = _passing(
                [each for each in asked if not any(each is gone for gone in dropped)], len(asked[0].passes)
            )
            if allowed.any():
                options.append((max(_COSTS.index(each.cost) for each in dropped), int(allowed.sum()), dropped, allowed))
        if options:
            _, count, dropped, allowed = min(options, key=lambda option: option[:2])
            return Blocking(dropped[0].field, dropped[0].value, count, allowed, tuple(d.field for d in dropped[1:]))
    return None


def _passing(asked: list[Constraint], n: int | None = None) -> Mask:
    if not asked:
        return np.ones(n or 0, np.bool_)
    together: Mask = asked[0].passes.copy()
    for each in asked[1:]:
        together &= each.passes
    return together


def _leaves(filters: Filters, facets: FacetIndex, prefix: str) -> list[tuple[str, Any, Mask]]:
    wanted: Mapping[str, tuple[Any, Filters]] = {
        "price": (filters.price and filters.price.model_dump(exclude_none=True), Filters(price=filters.price)),
        "brand": (list(filters.brand), Filters(brand=filters.brand)),
        "category": (list(filters.category), Filters(category=filters.category)),
        **{
            f"attributes.{name}": (list(values), Filters(attributes={name: values}))
            for name, values in filters.attributes.items()
        },
        "available": (filters.available, Filters(available=filters.available)),
    }
    leaves = []
    for name, (value, alone) in wanted.items():
        mask = facets.mask(alone)
        if mask is not None:
            leaves.append((f"{prefix}{name}", value, mask))
    return leaves
