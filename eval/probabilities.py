"""How good probabilities are: area under the ROC curve, log loss, calibration error, with intervals over shoppers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from eval.intervals import Interval

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Statistic = Callable[[npt.NDArray[np.int64]], float]
"""Rows -> a number."""

BINS = 10
RESAMPLES = 500
_LEAST = 1e-9


def auc(chance: Values, clicked: Labels) -> float:
    """Return the chance that a clicked row has the higher probability than one that is not; NaN without either.

    Ties count half.

    Source:
        Mann and Whitney 1947; Hanley and McNeil 1982.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
        0.875
    """
    _, level = np.unique(chance, return_inverse=True)
    hits, misses = np.bincount(level, clicked), np.bincount(level, ~clicked)
    pairs = hits.sum() * misses.sum()
    below = np.cumsum(misses) - misses
    return float((hits * (below + 0.5 * misses)).sum() / pairs) if pairs else float("nan")


def logloss(chance: Values, clicked: Labels) -> float:
    """Return the mean of `-log` of the probability of what happened, in nats.

    Example:
        >>> round(logloss(np.array([0.5, 0.5]), np.array([True, False])), 4)
        0.6931
    """
    told = np.clip(chance, _LEAST, 1 - _LEAST)
    return float(-np.where(clicked, np.log(told), np.log1p(-told)).mean())


def calibration_bins(chance: Values, clicked: Labels, bins: int = BINS) -> list[tuple[int, float, float]]:
    """Return rows, mean probability and rate of clicks of `bins` parts of equal size, the least probable first."""
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [(len(part), float(chance[part].mean()), float(clicked[part].mean())) for part in parts]


def calibration_error(chance: Values, clicked: Labels, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean distance of probability and rate over parts of equal size.

    Source:
        Naeini, Cooper and Hauskrecht, AAAI 2015, with parts of equal size as Nixon et al. 2019 advise.

    Example:
        >>> calibration_error(np.array([0.25, 0.25, 0.75, 0.75]), np.array([False, True, True, True]), bins=2)
        0.25
    """
    found = calibration_bins(chance, clicked, bins)
    return float(sum(n * abs(mean - rate) for n, mean, rate in found) / len(chance))


def interval(statistic: Statistic, user_ids: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Return a statistic of all rows with its 95% percentile interval, shoppers drawn with replacement.

    Rows of one shopper hang together, so it is shoppers that are drawn.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
    """
    _, code = np.unique(np.asarray(user_ids), return_inverse=True)
    order = np.argsort(code, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    rng = np.random.default_rng(seed)
    values = np.array(
        [
            statistic(np.concatenate([members[k] for k in rng.integers(0, len(members), len(members)).tolist()]))
            for _ in range(resamples)
        ]
    )
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Interval(statistic(np.arange(len(code))), float(low), float(high))
