"""Unit vectors of a space in the rows of the catalogue, and which items have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from catalog.ids import IdMap, Rows
from catalog.vectors import EmbeddingTable, Floats, Mask, unit_rows


@dataclass(frozen=True, eq=False)
class Units:
    """Vectors of one space.

    Attributes:
        vectors: (n_items, d) of length 1, zeros where an item has none.
        blank: (n_items,) the items that have none.
    """

    vectors: Floats
    blank: Mask

    @classmethod
    def of(cls, table: EmbeddingTable, items: IdMap) -> Self:
        """Return the unit vectors of a table, in the order of `items`."""
        vectors = unit_rows(table.align(items)[0])
        return cls(vectors, np.logical_not(vectors.any(axis=1)))

    def present(self, rows: Rows) -> Floats:
        """Return the vectors of the items at `rows`, those that have one."""
        return self.vectors.take(rows[~self.blank[rows]], axis=0)

    def mean(self, rows: Rows) -> Floats | None:
        """Return the mean (d,) of the vectors of the items at `rows`, or None when none has one."""
        found = self.present(rows)
        return found.sum(axis=0) / np.float32(len(found)) if len(found) else None
