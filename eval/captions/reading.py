"""A space's vectors as the probe reads them: centred, of length 1, and never wider than there are items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.item_features import later_features, training_features

PROBE = "caption scoreboard"


@dataclass(frozen=True, eq=False)
class Reading:
    """Rows whose inner products are the kernel K of `models.content_linear`.

    Attributes:
        known: (n, d) of the items that are trained on; zeros for an item without a vector.
        new: (m, d) of the items that are not.
    """

    known: Floats
    new: Floats

    def times(self, factor: float) -> Reading:
        """Return the rows multiplied by `factor`."""
        return Reading(self.known * np.float32(factor), self.new * np.float32(factor))


def read(table: EmbeddingTable, known: IdMap, new: IdMap) -> Reading:
    """Return the reading of a space; the mean that is taken away is that of the known items alone.

    Raises:
        DataError: When no known item has a vector.
    """
    features = training_features(PROBE, {table.space: table}, known)
    later = later_features(PROBE, {table.space: table}, new, features.means)
    mean = features.means[table.space]
    rows, added = (unit_rows(each.inputs[table.space] - mean) for each in (features, later))
    if rows.shape[1] > len(rows):
        # What a new item has outside the known ones' span meets none of them: K needs n columns at most.
        basis, triangle = np.linalg.qr(rows.T)
        rows, added = np.ascontiguousarray(triangle.T), added @ basis
    return Reading(rows, added)
