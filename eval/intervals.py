"""How sure a mean is: bootstrap intervals, and a paired test between two models on the same users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.metrics import Values

RESAMPLES = 2000
FLIPS = 10_000
FEWEST = 5
"""Shoppers below which a bootstrap of them says nothing: two can be drawn in four ways, one in one."""
TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean of (a - b) over users, its 95% interval, and the two-sided p of no difference."""

    difference: Interval
    p: float


def bootstrap_interval(values: Values, *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Return the mean of `values` (n_users,) with its percentile bootstrap interval; NaN (no value) is left out.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    for i in range(resamples):
        means[i] = values[rng.integers(0, len(values), len(values))].mean()
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def paired_test(a: Values, b: Values, *, seed: int, flips: int = FLIPS) -> Paired:
    """Compare two models on the same users by randomly flipping the sign of each user's difference.

    Source: Smucker, Allan and Carterette, CIKM 2007 (the randomisation test for retrieval).
    """
    difference = a - b
    interval = bootstrap_interval(difference, seed=seed)
    moved = difference[(difference != 0) & np.isfinite(difference)]
    if len(moved) == 0:
        return Paired(interval, 1.0)
    rng = np.random.default_rng(seed)
    observed = abs(moved.sum())
    extreme, done = 0, 0
    while done < flips:
        batch = min(500, flips - done)
        signs = rng.integers(0, 2, (batch, len(moved)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ moved) >= observed - 1e-12).sum())
        done += batch
    return Paired(interval, (extreme + 1) / (flips + 1))
