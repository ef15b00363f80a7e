"""Nearest items by what they look and read like: the graphs of LIRDRec and FREEDOM, and content kNN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from catalog.ids import Rows
from catalog.nearest import Device, nearest_rows
from catalog.vectors import Floats, Mask, distinct

TIE = 1e-6
"""Scores of unit rows closer than this may be one score, seen through the arithmetic of two libraries."""

CELLS = 8_000_000
"""Numbers of a temporary table at most."""


def nearest(queries: Floats, corpus: Floats, k: int, own_rows: Rows | None = None, *, device: Device = "auto") -> Rows:
    """Return the best k rows of `corpus` for each query by inner product, (n_queries, k) int64, best first.

    Ties go to the lower row. Rows of zeros (no features) are nobody's neighbour; -1 fills a list that has fewer than k.
    FAISS proposes; what it proposed is scored anew, each pair by the same arithmetic, and where a row that it did not
    propose may be as good, every row is looked at. So the answer is the same on any device.

    Args:
        queries: (n_queries, d), unit rows; a row of zeros gets no neighbour but its own row.
        corpus: (n, d), unit rows.
        k: How many; 0 gives an empty list.
        own_rows: Row of each query in `corpus`; it always comes first in the query's list.
        device: `auto` takes a GPU where FAISS sees one.
    """
    found = np.full((len(queries), min(k, len(corpus))), -1, np.int64)
    first = 0 if own_rows is None else 1
    others = found.shape[1] - first
    if own_rows is not None:
        found[:, :1] = own_rows[:, None]
    asking, usable = np.flatnonzero(queries.any(axis=1)), np.flatnonzero(corpus.any(axis=1))
    if others < 1 or not len(asking) or not len(usable):
        return found
    heaps = _Heaps.of(corpus if len(usable) == len(corpus) else corpus[usable])
    own = np.full(len(queries), -1, np.int64)
    if own_rows is not None:
        place = np.full(len(corpus), -1, np.int64)
        place[usable] = np.arange(len(usable))
        own = place[own_rows]
    height = max(1, CELLS // (others + 2))
    for start in range(0, len(asking), height):
        part = asking[start : start + height]
        best = _best(queries[part], heaps, others, own[part], device)
        found[part, first:] = np.where(best < 0, -1, usable[best])
    return found


@dataclass(frozen=True, eq=False)
class _Heaps:
    """Rows of a table, those of one and the same vector together: a thousand variants of one picture are one vector.

    Attributes:
        vectors: (m, d) the distinct ones.
        rows: (n,) rows of the table, heap after heap, ascending within each.
        starts: (m,) where in `rows` a heap begins, and `size`, how many are in it.
    """

    vectors: Floats
    rows: Rows
    starts: Rows
    size: Rows

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Return the heaps of a table (n, d)."""
        first = distinct(vectors)
        if first is None:
            whole = np.arange(len(vectors))
            return cls(vectors, whole, whole, np.ones(len(vectors), np.int64))
        kept, heap, size = np.unique(first, return_inverse=True, return_counts=True)
        return cls(vectors[kept], np.argsort(heap, kind="stable"), np.cumsum(size) - size, size)


def _best(queries: Floats, heaps: _Heaps, k: int, own: Rows, device: Device) -> Rows:
    """Return the best `k` rows but for a query's own, (q, k), -1 beyond the last; no row is zeros."""
    m = len(heaps.vectors)
    proposed, at = nearest_rows(queries, heaps.vectors, min(k + 2, m), device=device)
    who = np.repeat(np.arange(len(at)), at.shape[1])
    true = _products(queries, who, heaps.vectors, at.ravel()).reshape(at.shape)
    bar = _score_of_row(true, heaps.size[at], k + 1)
    slack = max(TIE, 2 * float(np.abs(true - proposed).max()))
    more: Mask = proposed[:, -1] >= bar - slack if at.shape[1] < m else np.zeros(len(at), np.bool_)
    keep = (true >= bar[:, None]) & ~more[:, None]
    pairs = [(np.nonzero(keep)[0], at[keep], true[keep])]
    unsure = np.flatnonzero(more)
    height = max(1, CELLS // m)
    for start in range(0, len(unsure), height):
        part = unsure[start : start + height]
        line, heap = np.nonzero(queries[part] @ heaps.vectors.T >= (bar[part] - slack)[:, None])
        pairs.append((part[line], heap, _products(queries, part[line], heaps.vectors, heap)))
    asked, heap, score = (np.concatenate(each) for each in zip(*pairs, strict=True))
    return _listed(asked, heap, score, heaps, k, own)


def _products(queries: Floats, who: Rows, vectors: Floats, at: Rows) -> Floats:
    """Return the product (p,) of query `who` (p,) with vector `at` (p,), each by the same arithmetic."""
    out = np.empty(len(at), np.float32)
    step = max(1, CELLS // vectors.shape[1])
    for start in range(0, len(at), step):
        part = slice(start, start + step)
        out[part] = np.einsum("pd,pd->p", queries[who[part]], vectors[at[part]])
    return out


def _score_of_row(scores: Floats, size: Rows, k: int) -> Floats:
    """Return the k-th best score (q,) of heaps (q, a), each of which counts as often as it has rows."""
    order = np.argsort(-scores, axis=1)
    enough = np.take_along_axis(size, order, axis=1).cumsum(axis=1) >= k
    enough[:, -1] = True
    last = np.take_along_axis(order, enough.argmax(axis=1)[:, None], axis=1)
    return np.asarray(np.take_along_axis(scores, last, axis=1)[:, 0], np.float32)


def _listed(who: Rows, heap: Rows, score: Floats, heaps: _Heaps, k: int, own: Rows) -> Rows:
    """Return the best `k` rows of each query, (q, k), from pairs of query and heap (p,): ties by lower row."""
    size = np.minimum(heaps.size[heap], k + 1)  # no list has more of one heap, a query's own row left out
    ends = np.cumsum(size)
    rows = heaps.rows[np.repeat(heaps.starts[heap] - ends + size, size) + np.arange(size.sum())]
    who, score = np.repeat(who, size), np.repeat(score, size)
    order = np.lexsort((rows, -score, who))
    order = order[rows[order] != own[who[order]]]
    who, rows = who[order], rows[order]
    rank = np.arange(len(who)) - np.searchsorted(who, np.arange(len(own)))[who]
    out = np.full((len(own), k), -1, np.int64)
    out[who[rank < k], rank[rank < k]] = rows[rank < k]
    return out
