"""Ranking metrics over a full ranking of all items, one value a user.

Per-user values are the primitive; means and intervals come later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.errors import ConfigError, did_you_mean

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

METRIC_NAMES: tuple[str, ...] = ("ndcg", "recall", "hit", "mrr", "map", "precision")
"""Accuracy, one value a user."""

LIST_NAMES: tuple[str, ...] = ("novelty", "popularity", "diversity")
"""What a user's list is like, whoever takes from it (`eval.backdrop`), one value a user."""

COLD_NAME = "coldrecall"
"""Recall over a user's relevant items that nobody took in train; NaN for a user without one."""

WHOLE_NAMES: tuple[str, ...] = ("coverage", "gini")
"""Properties of all lists together: no per-user value."""

LARGEST_K = 10_000
"""Widest cut-off: that many ranks of every user are held at once."""

_ALL = (*METRIC_NAMES, COLD_NAME, *LIST_NAMES, *WHOLE_NAMES)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and its cut-off, written `ndcg@20`; `auc` looks at the whole ranking and has none (0)."""

    name: str
    k: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.k}" if self.k else self.name


def parse_metric(text: str) -> Metric:
    """Return the metric `text` names.

    Raises:
        ConfigError: When the name is unknown or the cut-off is not from 1 to `LARGEST_K`.
    """
    if text.strip() == "auc":
        return Metric("auc")
    if text.strip().startswith("logloss"):
        raise ConfigError(f"metric {text!r} judges probabilities; 'auc' would be valid for a ranking of all items")
    match = re.fullmatch(r"([a-z]+)@0*(\d+)", text.strip())
    if match is None:
        raise ConfigError(f"metric {text!r} is not of the form name@k; 'ndcg@20' would be valid")
    name, k = match[1], int(match[2][: len(str(LARGEST_K)) + 1])  # Python refuses to read thousands of digits
    if name not in _ALL:
        raise ConfigError(f"unknown metric {name!r} in {text!r}. {did_you_mean(name, [*_ALL, 'auc'])}")
    if not 1 <= k <= LARGEST_K:
        raise ConfigError(f"metric {text!r}: a cut-off from 1 to {LARGEST_K:,} would be valid")
    return Metric(name, k)


def parse_selecting(text: str) -> Metric:
    """Return the metric `text` names, where settings and epochs can be chosen by it.

    Raises:
        ConfigError: When it names none, or one that says how lists look rather than what they hit.
    """
    metric = parse_metric(text)
    if metric.name not in (*METRIC_NAMES, "auc"):
        usable = ", ".join(f"{name}@{metric.k}" for name in METRIC_NAMES)
        raise ConfigError(f"nothing can be selected by metric {text!r}; {usable} or auc would be valid")
    return metric


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
        reach = min(k, max(hit.shape[1], int(n_relevant.max(initial=0))))  # no user has more ideal gains
        discount = 1.0 / np.log2(np.arange(2, reach + 2))
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
