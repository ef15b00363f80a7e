"""The arithmetic of an A/B report: differences with intervals, the check of the split, the least effect to be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.intervals import Interval
from eval.metrics import Values

FEWEST = 2
"""Shoppers an arm needs before anything can be said of its scatter."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What an arm has more than the control.

    Attributes:
        interval: The difference with its 95% interval, in the metric's own unit; NaN bounds with too few shoppers.
        relative: The difference as a share of the control's mean, NaN where that is 0.
        p: Two-sided p of no difference, NaN with too few shoppers; 1 where nothing scatters and nothing differs.
        detectable: Least true difference that such a test finds four times in five.
    """

    interval: Interval
    relative: float
    p: float
    detectable: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the standard error of it; NaN where it cannot be told."""

    mean: float
    error: float


def mean_of(values: Values) -> Estimate:
    """Return the mean of one value a shopper, (n,), with its standard error."""
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    return Estimate(mean, float(values.std(ddof=1)) / math.sqrt(n) if n >= FEWEST else math.nan)


def ratio_of(parts: Values, wholes: Values) -> Estimate:
    """Return sum(parts) / sum(wholes) with its standard error over shoppers, both (n,).

    A shopper's looks are not independent of each other, so shoppers are what is counted, by the delta method.

    Source:
        Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018, section 3.1.
    """
    whole = float(wholes.sum())
    if not whole:
        return Estimate(math.nan, math.nan)
    ratio = float(parts.sum()) / whole
    n = len(parts)
    if n < FEWEST:
        return Estimate(ratio, math.nan)
    left = parts - ratio * wholes
    return Estimate(ratio, float(left.std(ddof=1)) / math.sqrt(n) / (whole / n))


def difference(control: Estimate, arm: Estimate) -> Difference:
    """Return the arm's mean less the control's, by the normal approximation (Welch's error)."""
    from scipy.stats import norm

    gap, error = arm.mean - control.mean, math.hypot(control.error, arm.error)
    if math.isnan(error):
        return Difference(Interval(gap, math.nan, math.nan), _share(gap, control.mean), math.nan, math.nan)
    reach = float(norm.ppf(0.975)) * error
    p = 2 * float(norm.sf(abs(gap) / error)) if error else float(gap == 0)
    detectable = float(norm.ppf(0.975) + norm.ppf(0.8)) * error
    return Difference(Interval(gap, gap - reach, gap + reach), _share(gap, control.mean), p, detectable)


def adjusted(values: Sequence[Values], before: Sequence[Values]) -> list[Values]:
    """Return each arm's values without what the shoppers' own past foretells, around the same overall mean (CUPED).

    Args:
        values: What each arm's shoppers did, (n_arm,).
        before: What the same shoppers did before they were first shown anything of the experiment, (n_arm,).

    Source:
        Deng, Xu, Kohavi and Walker, Improving the Sensitivity of Online Controlled Experiments, WSDM 2013. One slope
        for all arms, so that it cannot take part in the difference.
    """
    y, x = np.concatenate(list(values)), np.concatenate(list(before))
    spread = float(x.var())
    slope = float(np.cov(y, x, ddof=0)[0, 1]) / spread if len(x) >= FEWEST and spread > 0 else 0.0
    middle = float(x.mean()) if len(x) else 0.0
    return [each - slope * (past - middle) for each, past in zip(values, before, strict=True)]


def split_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p of a split as uneven as this, if the shares were as meant (chi-square); NaN without shoppers.

    Source:
        Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019.
    """
    from scipy.stats import chisquare

    n, whole = sum(counts), sum(shares)
    if not n:
        return math.nan
    return float(chisquare(list(counts), [n * share / whole for share in shares]).pvalue)


def _share(gap: float, mean: float) -> float:
    return gap / mean if mean else math.nan
