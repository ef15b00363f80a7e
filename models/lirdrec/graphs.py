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

BLOCK_CELLS = 8_000_000


def bipartite_graph(positives: sparse.csr_array) -> sparse.csr_array:
    """Return `D_u^-1/2 R D_i^-1/2` of a binary R, (n_users, n_items) float32."""
    users = _inverse_root(np.asarray(positives.sum(axis=1), np.float64))
    items = _inverse_root(np.asarray(positives.sum(axis=0), np.float64))
    scaled = sparse.diags_array(users) @ positives.astype(np.float64) @ sparse.diags_array(items)
    return csr_of(scaled, positives.shape)


def nearest(queries: Floats, corpus: Floats, k: int, own_rows: Rows | None = None) -> Rows:
    """Return the best k rows of `corpus` for each query by inner product, (n_queries, k) int64, best first.

    Ties go to the lower row. Rows of zeros (no features) are nobody's neighbour; -1 fills a list that
    has fewer than k. Blocks of queries keep the dense similarity to about 8 million cells.

    Args:
        queries: (n_queries, d), unit rows; a row of zeros gets no neighbour but its own row.
        corpus: (n, d), unit rows.
        k: How many; 0 gives an empty list.
        own_rows: Row of each query in `corpus`; it always comes first in the query's list.
    """
    k = min(k, len(corpus))
    if k == 0:
        return np.empty((len(queries), 0), np.int64)
    blank_corpus = ~corpus.any(axis=1)
    blank_query: Mask = np.asarray(~queries.any(axis=1))
    found = np.full((len(queries), k), -1, np.int64)
    block = max(1, BLOCK_CELLS // max(len(corpus), 1))
    for start in range(0, len(queries), block):
        stop = min(start + block, len(queries))
        scores = queries[start:stop] @ corpus.T
        scores[:, blank_corpus] = -np.inf
        scores[blank_query[start:stop]] = -np.inf
        if own_rows is not None:
            scores[np.arange(stop - start), own_rows[start:stop]] = np.inf
        best = _top_columns(scores, k)
        value = np.take_along_axis(scores, best, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        best[np.take_along_axis(value, order, axis=1) == -np.inf] = -1
        found[start:stop] = best
    return found


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
