"""Exact candidates: everything that is, or ties with, the k nearest."""

from __future__ import annotations

import numpy as np

from catalog.ids import Rows
from catalog.nearest import Device, nearest_rows
from catalog.vectors import Floats, Mask
from indexes.stored import Stored

TIE = 1e-6
"""Scores closer than this may be one score seen through two kernels."""

GATHER = 4
"""Gathering a row costs as much as this many rows read in passing."""

CHUNK = 1_000_000
"""Rows of a batch search at a time: all that is gathered, and converted, at once."""


def cost(passing: int, stored: int) -> float:
    """Return what an exact search costs, in gathered rows: the passing ones alone, or all of them in passing."""
    return min(float(passing), stored / GATHER)


def candidates(stored: Stored, wanted: Floats, k: int, allowed: Mask | None) -> Rows:
    """Return the rows of the `k` nearest of (d,) and of everything that ties with the last."""
    rows: Rows | None = None
    if allowed is not None and np.count_nonzero(allowed) * GATHER < len(stored):
        rows = np.flatnonzero(allowed)
        scores = np.einsum("nd,d->n", stored.at(rows), wanted)
    else:
        scores = stored.products(wanted)
        if allowed is not None:
            scores[~allowed] = -np.inf
    if k < len(scores):
        bar = np.partition(scores, len(scores) - k)[len(scores) - k]
        near = np.flatnonzero(scores >= bar - TIE)
    else:
        near = np.flatnonzero(scores > -np.inf)
    return near if rows is None else rows[near]


def candidates_of_many(
    stored: Stored, wanted: Floats, k: int, allowed: Mask | None, device: Device, n_threads: int
) -> list[Rows]:
    """Return `candidates` of each of many vectors (q, d), by matrix products."""
    pool = np.arange(len(stored)) if allowed is None else np.flatnonzero(allowed)
    whole = allowed is None and stored.slots is None
    ask = min(k + 1, len(pool))
    rows = np.empty((len(wanted), 0), np.int64)
    scores = np.empty((len(wanted), 0), np.float32)
    for start in range(0, len(pool), CHUNK):
        part = pool[start : start + CHUNK]
        corpus = stored.vectors[start : start + CHUNK] if whole else stored.at(part)
        found, at = nearest_rows(wanted, corpus, min(ask, len(part)), device=device, n_threads=n_threads)
        scores, rows = np.concatenate([scores, found], axis=1), np.concatenate([rows, part[at]], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :ask]
        scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
    if ask <= k:
        return list(rows)
    tied = scores[:, k - 1] - scores[:, k] <= TIE
    return [
        candidates(stored, wanted[number], k, allowed) if tied[number] else rows[number, :k]
        for number in range(len(wanted))
    ]
