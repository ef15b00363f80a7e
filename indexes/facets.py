"""Facets as columns: which items pass, how many carry a value, and the span of prices, over everything.

`catalog.filters.Filters.matches` is the truth; `FacetIndex.mask` equals it, row by row, without
visiting items one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from catalog.filters import Filters
from catalog.items import Catalog
from catalog.vectors import Mask

BRAND = "brand"
CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class FacetCount:
    """A value as the catalogue writes it, and how many of the asked items carry it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """Prices of the items that have one; `cheapest` and `dearest` are item ids, ties to the lower row."""

    count: int
    min: float
    median: float
    max: float
    cheapest: str
    dearest: str


class _Column:
    """One facet: the rows of every value, found without regard to case."""

    def __init__(self, values_of: Iterable[tuple[str, ...]]) -> None:
        rows: dict[str, list[int]] = {}
        self.spelling: dict[str, str] = {}
        for row, values in enumerate(values_of):
            for folded, value in {value.casefold(): value for value in reversed(values)}.items():
                rows.setdefault(folded, []).append(row)
                self.spelling.setdefault(folded, value)
        self.rows: dict[str, npt.NDArray[np.int64]] = {v: np.array(r, np.int64) for v, r in rows.items()}

    def any_of(self, wanted: Iterable[str], n: int) -> Mask:
        out = np.zeros(n, np.bool_)
        for value in wanted:
            found = self.rows.get(value.casefold())
            if found is not None:
                out[found] = True
        return out


class FacetIndex:
    """Facets of one catalogue, read once."""

    def __init__(self, catalog: Catalog) -> None:
        items = catalog.items
        self.items = catalog.ids
        self.prices = np.array([np.nan if item.price is None else item.price for item in items], np.float64)
        self._gone = np.array([item.availability is False for item in items], np.bool_)
        self._columns = {
            BRAND: _Column((item.brand,) if item.brand is not None else () for item in items),
            CATEGORY: _Column(item.categories for item in items),
        }
        # As in `Filters.matches`: of names that differ by case alone, an item's last one counts.
        given = [{name.casefold(): values for name, values in item.attributes.items()} for item in items]
        self._attributes = {
            name: _Column(attributes.get(name, ()) for attributes in given)
            for name in sorted({name for attributes in given for name in attributes})
        }

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """Attribute names, folded, sorted."""
        return tuple(self._attributes)

    @cached_property
    def facets(self) -> tuple[str, ...]:
        """Everything `values` and `counts` can be asked for."""
        return (BRAND, CATEGORY, *self.attribute_names)

    def mask(self, filters: Filters | None) -> Mask | None:
        """Return which rows pass, (n_items,) bool, or None when nothing is asked."""
        if filters is None or filters.empty:
            return None
        out = np.ones(len(self), np.bool_)
        for part in self._parts(filters):
            out &= part
        if filters.not_ is not None:
            for part in self._parts(filters.not_):
                out &= ~part
        return out

    def _parts(self, filters: Filters) -> Iterable[Mask]:
        n = len(self)
        if filters.price is not None and (filters.price.min is not None or filters.price.max is not None):
            low = -np.inf if filters.price.min is None else filters.price.min
            high = np.inf if filters.price.max is None else filters.price.max
            yield (self.prices >= low) & (self.prices <= high)  # NaN, no price, fails both
        if filters.brand:
            yield self._columns[BRAND].any_of(filters.brand, n)
        if filters.category:
            yield self._columns[CATEGORY].any_of(filters.category, n)
        for name, wanted in filters.attributes.items():
            column = self._attributes.get(name.casefold())
            yield column.any_of(wanted, n) if column is not None else np.zeros(n, np.bool_)
        if filters.available is not None:
            yield ~self._gone if filters.available else self._gone

    def column(self, facet: str) -> _Column | None:
        """Return the column of `brand`, `category` or an attribute, or None when no item has it."""
        return self._columns.get(facet) or self._attributes.get(facet.casefold())

    def values(self, facet: str) -> tuple[str, ...]:
        """Return every value of a facet as the catalogue writes it; empty when no item has the facet."""
        column = self.column(facet)
        return tuple(column.spelling.values()) if column is not None else ()

    def rows(self, facet: str, value: str) -> frozenset[int]:
        """Return the rows of the items that carry a value, in any case."""
        column = self.column(facet)
        found = None if column is None else column.rows.get(value.casefold())
        return frozenset() if found is None else frozenset(found.tolist())

    def counts(self, facet: str, allowed: Mask | None = None) -> list[FacetCount]:
        """Return the values of a facet with how many of the allowed items carry each, most first."""
        column = self.column(facet)
        if column is None:
            return []
        counted = [
            FacetCount(column.spelling[value], len(rows) if allowed is None else int(allowed[rows].sum()))
            for value, rows in column.rows.items()
        ]
        return sorted((c for c in counted if c.count), key=lambda c: (-c.count, c.value.casefold()))

    def price_span(self, allowed: Mask | None = None) -> PriceSpan | None:
        """Return the span of prices over the allowed items, or None when none has a price."""
        priced = ~np.isnan(self.prices) if allowed is None else allowed & ~np.isnan(self.prices)
        rows = np.flatnonzero(priced)
        if not len(rows):
            return None
        prices = self.prices[rows]
        low, high = int(prices.argmin()), int(prices.argmax())  # the first of equals
        return PriceSpan(
            len(rows),
            float(prices[low]),
            float(np.median(prices)),
            float(prices[high]),
            self.items.ids[rows[low]],
            self.items.ids[rows[high]],
        )
