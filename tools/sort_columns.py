"""What items can be sorted by, as columns read once from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from catalog.items import Catalog
from catalog.nouns import Item

Column = npt.NDArray[np.float64]

DATE_ATTRIBUTES = ("release_date", "released", "date_added", "date", "year")
"""Attributes that may date an item, first found first."""


@dataclass(frozen=True, eq=False)
class SortColumns:
    """Columns (n_items,) float64 in catalogue order, NaN where unknown; `dates` are numbers such as 20260302."""

    prices: Column
    ratings: Column
    rating_counts: Column
    dates: Column

    @classmethod
    def of(cls, catalog: Catalog) -> Self:
        """Read a catalogue."""
        return cls(
            _column([item.price for item in catalog]),
            _column([item.rating for item in catalog]),
            _column([item.rating_count for item in catalog]),
            _column([_date(item) for item in catalog]),
        )


def _column(values: list[float | None] | list[int | None]) -> Column:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _date(item: Item) -> float | None:
    given = {name.casefold(): values for name, values in item.attributes.items()}
    for name in DATE_ATTRIBUTES:
        digits = "".join(c for c in (given.get(name) or ("",))[0] if c in "0123456789")[:8]
        if len(digits) >= 4:
            return float(digits.ljust(8, "0"))
    return None
