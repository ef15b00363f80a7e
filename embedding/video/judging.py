"""How well scores of films tell who clicks, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RESAMPLES = 1000
CHANCE = 0.5
UNSEEN = {"marketing": "campaigns", "item": "products"}
"""What is held out together: the campaign of a marketing film, the variants (`parent_id`) of an item."""


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


def held_out_lines(held_out: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a line a source of films: how well those are told apart that the network knew nothing of, and how surely.

    Args:
        held_out: By source, `auc` with its interval `low` to `high`, `impressions` and `films`.
    """
    return [
        f"{source} films of {UNSEEN.get(source, 'groups')} it had not seen: AUC {found['auc']:.3f} "
        f"[{found['low']:.3f}, {found['high']:.3f}], {verdict(found['low'], found['high'])}, over "
        f"{found['impressions']:,} impressions of {found['films']:,} films"
        for source, found in held_out.items()
    ]


def verdict(low: float, high: float) -> str:
    """Return what the 95% interval of an AUC says of chance, which is 0.5.

    Example:
        >>> verdict(0.41, 0.62)
        'not shown to be better than chance'
    """
    if low > CHANCE:
        return "better than chance"
    return "worse than chance" if high < CHANCE else "not shown to be better than chance"


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
