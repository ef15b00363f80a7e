"""The best items of each user out of a full ranking, exactly and fast."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.errors import DataError
from catalog.vectors import Floats

Rows = npt.NDArray[np.int64]

BLOCK = 128
"""Users whose scores are worked on at once, so that they stay in the cache."""

STRIPES = 16
"""Into how many stripes a row is cut; the best of each column of stripes bounds the k-th best score from below."""


def top_k(scores: Floats, k: int, masked: sparse.csr_array | None = None) -> Rows:
    """Return the rows of the `k` best items of each user, best first; ties by lower row.

    Args:
        scores: (n_users, n_items) float32, finite.
        k: At least 1; cut to n_items.
        masked: (n_users, n_items); nonzero entries never appear.

    Returns:
        (n_users, min(k, n_items)) int64; -1 where fewer items remain than asked for.

    Raises:
        DataError: When a score is not finite.

    Example:
        >>> top_k(np.array([[1, 3, 3, 2]], np.float32), 3).tolist()
        [[1, 2, 3]]
    """
    n_users, n_items = scores.shape
    k = min(k, n_items)
    starts = range(0, n_users, BLOCK)

    def block(start: int) -> Rows:
        part = np.array(scores[start : start + BLOCK], np.float32)  # a copy: masking writes into it
        _refuse_unordered(part, start)
        if masked is not None:
            first, last = masked.indptr[start], masked.indptr[min(start + BLOCK, n_users)]
            users = np.repeat(np.arange(len(part)), np.diff(masked.indptr[start : start + len(part) + 1]))
            part[users, masked.indices[first:last]] = -np.inf
        return _best(part, k)

    if len(starts) < 2:
        return np.concatenate([np.empty((0, k), np.int64), *map(block, starts)])
    with ThreadPoolExecutor(_threads()) as pool:
        return np.concatenate(list(pool.map(block, starts)))


def hits(top: Rows, relevant: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """Return which of the items in `top` (n_users, k) are relevant, same shape."""
    found = np.zeros(top.shape, np.bool_)
    wanted = np.zeros((BLOCK, relevant.shape[1] + 1), np.bool_)  # the last column answers for -1
    for start in range(0, len(top), BLOCK):
        part = top[start : start + BLOCK]
        indptr = relevant.indptr[start : start + len(part) + 1]
        users = np.repeat(np.arange(len(part)), np.diff(indptr))
        items = relevant.indices[indptr[0] : indptr[-1]]
        wanted[users, items] = True
        found[start : start + BLOCK] = np.take_along_axis(wanted[: len(part)], part, axis=1)
        wanted[users, items] = False
    return found


def areas(scores: Floats, relevant: sparse.csr_array, masked: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Return each user's area under the ROC curve, (n_users,): how often a relevant item scores above another.

    Over all items that may be shown; ties count half; NaN where there is nothing to compare. Source: Hanley and
    McNeil 1982 (the Wilcoxon form).
    """
    out = np.full(len(scores), np.nan)
    for user, row in enumerate(scores):
        wanted = relevant.indices[relevant.indptr[user] : relevant.indptr[user + 1]]
        others = np.ones(scores.shape[1], np.bool_)
        others[masked.indices[masked.indptr[user] : masked.indptr[user + 1]]] = False
        wanted = wanted[others[wanted]]
        others[wanted] = False
        if len(wanted) and others.any():
            rest = np.sort(row[others])
            below = np.searchsorted(rest, row[wanted], "left") + np.searchsorted(rest, row[wanted], "right")
            out[user] = below.mean() / (2 * len(rest))
    return out


def _best(scores: Floats, k: int) -> Rows:
    """Return the best columns of each row (b, k); -1 in place of -inf.

    At least k scores reach the k-th best of the stripes' maxima, and every one of the k best does: only those
    few are sorted, by a stable sort that leaves equals in the order of their columns.
    """
    users, items = np.divmod(np.flatnonzero(scores >= _bound(scores, k)), scores.shape[1])
    shown = scores[users, items] > -np.inf
    if not shown.all():
        users, items = users[shown], items[shown]
    counts = np.bincount(users, minlength=len(scores))
    width = max(int(counts.max(initial=0)), k)
    places = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    values = np.full((len(scores), width), np.inf, np.float32)  # negated: the best is the least, absent ones last
    columns = np.full((len(scores), width), -1, np.int64)
    values[users, places] = -scores[users, items]
    columns[users, places] = items
    order = np.argsort(values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(columns, order, axis=1)


def _bound(scores: Floats, k: int) -> Floats:
    """Return a value a row that its k best reach and few others do, (b, 1)."""
    width = scores.shape[1] // STRIPES
    if width < k:
        return np.full((len(scores), 1), -np.inf, np.float32)
    best = scores[:, : width * STRIPES].reshape(len(scores), STRIPES, width).max(axis=1)
    bound: Floats = np.partition(best, width - k, axis=1)[:, width - k, None]
    return bound


def _refuse_unordered(scores: Floats, start: int) -> None:
    # Any NaN or infinity makes its row's sum not finite; a sum may overflow by itself, so look again.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = scores.sum(axis=1)  # numpy's own: a BLAS product would bring threads of its own into ours
    if np.isfinite(sums).all() or np.isfinite(scores).all():
        return
    user, item = np.argwhere(~np.isfinite(scores))[0]
    raise DataError(f"score {scores[user, item]!r} of user row {start + user}, item row {item} is not finite")


def _threads() -> int:
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
