"""The rows of a table with the greatest products with a vector, near enough, without looking at them all."""

from __future__ import annotations

import numpy as np

from catalog.ids import Rows
from catalog.vectors import Floats
from indexes.faiss_library import library, threads

PROBED = 8
"""One list in so many is looked at."""

ITERATIONS, POINTS = 10, 64
"""Of k-means, and how many rows a list it reads: more takes longer and finds no more."""


class InnerProducts:
    """Inverted lists of rows in one byte a number; who asks scores what is found by the true vectors.

    About a second to build for 200,000 rows of 64. Unlike the indexes of spaces it keeps lengths, so it answers for
    recommenders, where a long row is an item that many take.

    Args:
        vectors: (n, d).
    """

    def __init__(self, vectors: Floats) -> None:
        faiss = library()
        lists = max(1, round(len(vectors) ** 0.5))
        self._index = faiss.index_factory(vectors.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        self._index.cp.niter, self._index.cp.max_points_per_centroid = ITERATIONS, POINTS
        self._index.cp.min_points_per_centroid = 1
        self._index.nprobe = max(1, lists // PROBED)
        with threads(1):
            self._index.train(vectors)
            self._index.add(vectors)

    def search(self, wanted: Floats, k: int) -> Rows:
        """Return up to `k` rows for a vector (d,), the greatest products first, as far as bytes can tell."""
        with threads(1):
            found = self._index.search(np.ascontiguousarray(wanted[None], np.float32), k)[1][0]
        rows: Rows = found[found >= 0]
        return rows
