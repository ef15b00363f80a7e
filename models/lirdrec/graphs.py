"""The two graphs of LIRDRec, symmetric-normalised: users with items, items with alike items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.ids import Rows
from catalog.vectors import Floats, Mask
from models.sparse_rows import csr_from_edges, csr_of

DEGREE_FLOOR = 1e-7
"""Added to every degree before the inverse root, so that a lone node has no edge and no NaN."""

TILE_CELLS, TILE_COLUMNS = 8_000_000, 16_384


def bipartite_graph(positives: sparse.csr_array) -> sparse.csr_array:
    """Return `D_u^-1/2 R D_i^-1/2` of a binary R, (n_users, n_items) float32."""
    users = _inverse_root(np.asarray(positives.sum(axis=1), np.float64))
    items = _inverse_root(np.asarray(positives.sum(axis=0), np.float64))
    scaled = sparse.diags_array(users) @ positives.astype(np.float64) @ sparse.diags_array(items)
    return csr_of(scaled, positives.shape)


def nearest(queries: Floats, corpus: Floats, k: int, own_rows: Rows | None = None) -> Rows:
    """Return the best k rows of `corpus` for each query by inner product, (n_queries, k) int64, best first.

    Ties go to the lower row. Rows of zeros (no features) are nobody's neighbour; -1 fills a list that
    has fewer than k. The dense similarity is made tile by tile of about 8 million cells; past the first tile of a
    block only cells above a query's k-th best so far are looked at, so that the products are what takes the time.

    Args:
        queries: (n_queries, d), unit rows; a row of zeros gets no neighbour but its own row.
        corpus: (n, d), unit rows.
        k: How many; 0 gives an empty list.
        own_rows: Row of each query in `corpus`; it always comes first in the query's list.
    """
    k = min(k, len(corpus))
    if k == 0:
        return np.empty((len(queries), 0), np.int64)
    blank_corpus: Mask = np.asarray(~corpus.any(axis=1))
    blank_query: Mask = np.asarray(~queries.any(axis=1))
    width = min(len(corpus), max(TILE_COLUMNS, k))
    height = max(1, TILE_CELLS // width)
    found = np.full((len(queries), k), -1, np.int64)
    for start in range(0, len(queries), height):
        block = slice(start, min(start + height, len(queries)))
        best = _Best(block.stop - start, k)
        for first in range(0, len(corpus), width):
            tile = slice(first, min(first + width, len(corpus)))
            scores = queries[block] @ corpus[tile].T
            scores[:, blank_corpus[tile]] = -np.inf
            scores[blank_query[block]] = -np.inf
            if own_rows is not None:
                at = np.nonzero((own_rows[block] >= tile.start) & (own_rows[block] < tile.stop))[0]
                scores[at, own_rows[block][at] - first] = np.inf
            best.take(scores, first)
        found[block] = np.where(best.values == -np.inf, -1, best.rows)
    return found


class _Best:
    """The k best of each of n queries so far, best first; tiles come in order of their columns."""

    def __init__(self, n: int, k: int) -> None:
        self.values = np.full((n, k), -np.inf, np.float32)
        self.rows = np.full((n, k), -1, np.int64)

    def take(self, scores: Floats, first: int) -> None:
        """Take what is better of a tile (n, columns) whose first column is corpus row `first`."""
        k = self.values.shape[1]
        if first == 0:
            columns = _top_columns(scores, k)
            self._keep(slice(None), np.take_along_axis(scores, columns, axis=1), columns)
            return
        # An equal of a later column does not displace: ties go to the lower row.
        queries, columns = np.nonzero(scores > self.values[:, -1:])
        changed, at, counts = np.unique(queries, return_index=True, return_counts=True)
        if not len(changed):
            return
        place = np.arange(len(queries)) - np.repeat(at, counts)
        values = np.full((len(changed), int(counts.max())), -np.inf, np.float32)
        rows = np.full(values.shape, -1, np.int64)
        line = np.repeat(np.arange(len(changed)), counts)
        values[line, place], rows[line, place] = scores[queries, columns], columns + first
        self._keep(
            changed,
            np.concatenate([self.values[changed], values], axis=1),
            np.concatenate([self.rows[changed], rows], axis=1),
        )

    def _keep(self, queries: Rows | slice, values: Floats, rows: Rows) -> None:
        order = np.argsort(-values, axis=1, kind="stable")[:, : self.values.shape[1]]
        self.values[queries] = np.take_along_axis(values, order, axis=1)
        self.rows[queries] = np.take_along_axis(rows, order, axis=1)


def _top_columns(scores: Floats, k: int) -> Rows:
    """Return the columns of the k greatest of each row, (b, k), ascending; of equals the lower columns."""
    least = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above, tied = scores > least, scores == least
    room = k - above.sum(axis=1, keepdims=True)
    chosen = above | (tied & (tied.cumsum(axis=1, dtype=np.int32) <= room))
    return np.nonzero(chosen)[1].reshape(len(scores), k)


def knn_graph(unit: Floats, k: int) -> sparse.csr_array:
    """Return the normalised kNN graph of unit rows (n, d), (n, n) float32.

    Binary and directed (i -> its k nearest by cosine, itself among them), then `D^-1/2 A D^-1/2` with
    the row degrees D. An item without features is tied to itself alone.
    """
    n = len(unit)
    found = nearest(unit, unit, k, np.arange(n))
    rows = np.repeat(np.arange(n), found.shape[1])
    kept = found.ravel() >= 0
    columns = found.ravel()[kept]
    edges = csr_from_edges(rows[kept], columns, (n, n))
    root = sparse.diags_array(_inverse_root(np.asarray(edges.sum(axis=1), np.float64)))
    return csr_of(root @ edges @ root, (n, n))


def item_graph(units: Sequence[Floats], k: int, weight: float) -> sparse.csr_array:
    """Return the weighted sum of the modalities' kNN graphs, (n, n) float32."""
    shape = (len(units[0]), len(units[0]))
    summed = csr_of(shape, shape)
    for share, unit in zip(graph_weights(len(units), weight), units, strict=True):
        summed = csr_of(summed + share * knn_graph(unit, k), shape)
    return summed


def graph_weights(n_modalities: int, weight: float) -> tuple[float, ...]:
    """Return the share of each modality's graph: `weight` for the first, the rest alike; they sum to 1."""
    if n_modalities == 1:
        return (1.0,)
    return (weight, *[(1 - weight) / (n_modalities - 1)] * (n_modalities - 1))


def _inverse_root(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((degrees + DEGREE_FLOOR) ** -0.5, np.float64)
