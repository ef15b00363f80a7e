"""How well scores of films tell who clicks, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RESAMPLES = 1000


def impression_auc(score: Values, clicks: Values, shown: Values) -> float:
    """Return the chance that an impression with a click has the higher score than one without; NaN without either.

    Every impression of a film has its film's score; equal scores count half (Mann and Whitney 1947).

    Args:
        score: (n,) one a film.
        clicks: (n,) impressions with a click.
        shown: (n,) impressions.

    Example:
        >>> impression_auc(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 1.0]))
        1.0
    """
    _, level = np.unique(score, return_inverse=True)
    hits = np.bincount(level, clicks)
    misses = np.bincount(level, shown - clicks)
    pairs = hits.sum() * misses.sum()
    below = np.cumsum(misses) - misses
    return float((hits * (below + 0.5 * misses)).sum() / pairs) if pairs else float("nan")


def group_folds(groups: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """Return a fold from 0 to `count` - 1 for every film, (n,); a group is never cut in two."""
    names = sorted(set(groups))
    order = np.random.default_rng([seed, 17]).permutation(len(names))
    fold = {name: int(at) % count for name, at in zip(names, order, strict=True)}
    return np.array([fold[group] for group in groups], np.int64)


def group_interval(
    statistic: Callable[[NDArray[np.int64]], float], groups: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic of film rows, groups drawn with replacement.

    Films of one campaign go together, so it is campaigns that are drawn.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
    """
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    rows = [np.array(each, np.int64) for each in members.values()]
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(rows), len(rows)) for _ in range(resamples))
    values = np.array([statistic(np.concatenate([rows[k] for k in pick.tolist()])) for pick in drawn])
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
