"""Ranking metrics over a full ranking of all items, one value a user.

Per-user values are the primitive; means and intervals come later. Ties are broken by the lower
item row, so that a value never depends on a sorting routine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.errors import ConfigError, DataError, did_you_mean
from catalog.vectors import Floats

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

METRIC_NAMES: tuple[str, ...] = ("ndcg", "recall", "hit", "mrr", "map", "precision")
"""Per-user metrics; `coverage` is a property of the whole list and has no per-user value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and its cut-off, written `ndcg@20`."""

    name: str
    k: int

    def __str__(self) -> str:
        return f"{self.name}@{self.k}"


def parse_metric(text: str) -> Metric:
    """Return the metric `text` names.

    Raises:
        ConfigError: When the name is unknown or the cut-off is not at least 1.
    """
    match = re.fullmatch(r"([a-z]+)@(\d+)", text.strip())
    if match is None:
        raise ConfigError(f"metric {text!r} is not of the form name@k; 'ndcg@20' would be valid")
    name, k = match[1], int(match[2])
    if name not in (*METRIC_NAMES, "coverage"):
        raise ConfigError(f"unknown metric {name!r} in {text!r}. {did_you_mean(name, [*METRIC_NAMES, 'coverage'])}")
    if k < 1:
        raise ConfigError(f"metric {text!r}: a cut-off of at least 1 would be valid")
    return Metric(name, k)


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
    if not np.isfinite(scores).all():
        user, item = np.argwhere(~np.isfinite(scores))[0]
        raise DataError(f"score {scores[user, item]!r} of user row {user}, item row {item} is not finite")
    n_items = scores.shape[1]
    k = min(k, n_items)
    # One int64 key an entry: the score's bits, made monotone, above the reversed row. Keys are
    # distinct, so a partial selection is exact on ties. Adding 0.0 turns -0.0 into 0.0.
    bits = (scores.astype(np.float32) + np.float32(0.0)).view(np.int32).astype(np.int64)
    bits = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    keys = bits * np.int64(2**31) + np.arange(n_items - 1, -1, -1, dtype=np.int64)
    lowest = np.iinfo(np.int64).min
    if masked is not None:
        users = np.repeat(np.arange(masked.shape[0]), np.diff(masked.indptr))
        keys[users, masked.indices] = lowest
    best = np.argpartition(keys, n_items - k, axis=1)[:, n_items - k :]
    order = np.argsort(np.take_along_axis(keys, best, axis=1), axis=1)[:, ::-1]
    rows = np.take_along_axis(best, order, axis=1)
    return np.where(np.take_along_axis(keys, rows, axis=1) == lowest, -1, rows)


def hits(top: Rows, relevant: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """Return which of the items in `top` (n_users, k) are relevant, same shape."""
    users = np.repeat(np.arange(relevant.shape[0], dtype=np.int64), np.diff(relevant.indptr))
    n_items = relevant.shape[1]
    wanted = users * n_items + relevant.indices
    shown = np.arange(len(top), dtype=np.int64)[:, None] * n_items + top
    return np.isin(shown, wanted, kind="sort") & (top >= 0)


def per_user(metric: Metric, hit: npt.NDArray[np.bool_], n_relevant: Rows) -> Values:
    """Return one value a user.

    Binary relevance; `ndcg` discounts by log2(rank + 1) and divides by the ideal of
    min(k, n_relevant) hits (Jarvelin and Kekalainen 2002); `map` divides by n_relevant, as TREC does;
    `mrr` is 1 / rank of the first hit, 0 without one.

    Args:
        metric: What to compute; `metric.k` may not exceed the width of `hit` unless the catalogue is smaller.
        hit: (n_users, K) which ranks hit.
        n_relevant: (n_users,) relevant items of each user, at least 1.
    """
    k = metric.k
    hit = hit[:, :k]
    ranks = np.arange(1, hit.shape[1] + 1, dtype=np.float64)
    count = hit.sum(axis=1)
    values: Values
    if metric.name == "precision":
        values = count / k
    elif metric.name == "recall":
        values = count / n_relevant
    elif metric.name == "hit":
        values = (count > 0).astype(np.float64)
    elif metric.name == "mrr":
        values = np.where(count > 0, 1.0 / (hit.argmax(axis=1) + 1.0), 0.0)
    elif metric.name == "map":
        values = (np.cumsum(hit, axis=1) / ranks * hit).sum(axis=1) / n_relevant
    else:
        discount = 1.0 / np.log2(np.arange(2, k + 2))
        ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(n_relevant, k)]
        values = (hit * discount[: hit.shape[1]]).sum(axis=1) / ideal
    return values


def coverage(top: Rows, k: int, n_items: int) -> float:
    """Return the share of the catalogue that appears in anybody's first `k`."""
    shown = np.unique(top[:, :k])
    return float((shown >= 0).sum() / n_items)


def largest_k(metrics: Sequence[Metric]) -> int:
    """Return the widest cut-off among `metrics`."""
    return max(metric.k for metric in metrics)
