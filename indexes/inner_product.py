"""The rows of a table with the greatest products with a vector, in a tenth of the time of scoring them all."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.ids import Rows
from catalog.nearest import library, threads
from catalog.vectors import Floats

SAMPLE = 20_000
"""Rows the levels are learned from."""

FEW = 1_000
"""Below so many rows there is nothing to learn levels from, nor to gain."""

SPARE = 5
"""Rows found for each that is wanted: the asker scores them truly."""

DEPTH = 200
"""Up to so many wanted rows the long ones are enough."""

BEST, HELD = 30, 0.99
"""Of the best so many rows of the sampled wishes, the share that must stand among the long rows."""


class InnerProducts:
    """Rows in half a byte a number, looked at in passing in registers, the long ones first.

    Unlike the indexes of spaces it keeps lengths, so it answers for recommenders, where a long row is an item that many
    take. What is best for anybody stands among the longest rows; how many of them that takes is learned from sampled
    wishes, and only who wants more than `DEPTH` rows is told of the others. Who asks scores what is found truly. Of an
    ALS model over 200,000 items the longest sixth was enough: of the pages made from the 100 best, 99.9% of what an
    exact search shows, in 0.15 ms; inverted lists held under half of those 100 in a twelfth of the lists.

    Source: André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance nearest neighbor search
    with product quantization fast scan", VLDB 2015; the order by length is that of Teflioudi, Gemulla and Mykytiuk,
    "LEMP: fast retrieval of large entries in a matrix product", SIGMOD 2015.

    Args:
        vectors: (n, d).
        wishes: (m, d) such as will be searched for, a hundred say; without any every row is looked at.
    """

    def __init__(self, vectors: Floats, wishes: Floats | None = None) -> None:
        order = np.argsort(-np.einsum("nd,nd->n", vectors, vectors), kind="stable")
        long = len(order) if wishes is None or len(vectors) < FEW else _long(vectors, wishes, order)
        self._parts = [(order[part], _codes(vectors[order[part]])) for part in (slice(long), slice(long, None))]

    @property
    def long(self) -> int:
        """How many rows a search for few looks at."""
        return len(self._parts[0][0])

    def search(self, wanted: Floats, k: int, beside: int = 0) -> Rows:
        """Return about `SPARE` times k rows, among which the `k` greatest products with a vector (d,) are likely to be.

        Args:
            wanted: (d,).
            k: At least 1.
            beside: How many rows the asker will drop: so many more are returned.
        """
        ask, query = SPARE * k + beside, np.ascontiguousarray(wanted[None], np.float32)
        parts = self._parts[:1] if k <= DEPTH else self._parts
        with threads(1):
            found = [rows[near[near >= 0]] for rows, codes in parts for near in codes.search(query, ask)[1]]
        return np.concatenate(found)


def _codes(vectors: Floats) -> Any:
    faiss, width = library(), vectors.shape[1]
    kind = f"PQ{width}x4fs" if len(vectors) >= FEW else "Flat"
    codes = faiss.index_factory(width, kind, faiss.METRIC_INNER_PRODUCT)
    sample = np.linspace(0, max(len(vectors) - 1, 0), min(SAMPLE, len(vectors))).astype(np.int64)
    with threads(1):
        codes.train(np.ascontiguousarray(vectors[sample], np.float32))
        codes.add(np.ascontiguousarray(vectors, np.float32))
    return codes


def _long(vectors: Floats, wishes: Floats, order: Rows) -> int:
    """Return how many of the longest rows hold `HELD` of the best `BEST` of the wishes."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    deep: list[npt.NDArray[np.int64]] = []
    for wish in wishes:
        best = np.argpartition(vectors @ wish, -BEST)[-BEST:]
        deep.append(place[best])
    return max(FEW, int(np.quantile(np.concatenate(deep), HELD)) + 1) if deep else len(order)
