"""From a network's score to a probability with an interval, learned on films the network had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

FEWEST = 8
"""Films with impressions that a calibration is worth making of."""

_NODES = 41
_WIDE = 1.96


@dataclass(frozen=True, slots=True)
class Calibration:
    """The log odds of a film's true click-through are normal about `shift + slope * score`, with spread `spread`.

    A score that tells nothing gets a slope of nothing, and an interval as wide as films differ.
    """

    shift: float = 0.0
    slope: float = 1.0
    spread: float = 0.0

    def odds(self, score: Values) -> Values:
        """Return calibrated log odds, shaped as `score`."""
        return np.asarray(self.shift + self.slope * score)

    def interval(self, score: Values) -> tuple[Values, Values, Values]:
        """Return click-through and the 95% interval of a film of this score, each shaped as `score`."""
        odds = self.odds(score)
        low, middle, high = (1 / (1 + np.exp(-odds - way * _WIDE * self.spread)) for way in (-1.0, 0.0, 1.0))
        return np.asarray(middle), np.asarray(low), np.asarray(high)


def calibrate(score: Values, clicks: Values, shown: Values) -> Calibration:
    """Return the calibration most likely to give these counts, the score's own where too few films were shown.

    The likelihood of a film is its binomial one, averaged over the normal spread by Gauss and Hermite's rule.

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999, for shift and slope; Williams,
    Extra-Binomial Variation in Logistic Linear Models, Applied Statistics 1982, for the spread, penalised as Chung,
    Rabe-Hesketh, Dorie, Gelman and Liu do, Psychometrika 2013.

    Args:
        score: (n,) log odds of films by networks that had not seen them.
        clicks: (n,) clicks.
        shown: (n,) impressions.
    """
    from scipy.optimize import minimize

    told = shown > 0
    score, clicks, shown = score[told], clicks[told], shown[told]
    if len(score) < FEWEST or not 0 < clicks.sum() < shown.sum():
        return Calibration()
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    log_weights = np.log(weights / weights.sum())
    middle = float(score.mean())

    def unlikely(parameters: Values) -> float:
        shift, slope, log_spread = parameters
        odds = (shift + slope * (score - middle))[:, None] + np.exp(log_spread) * nodes[None, :]
        each = clicks[:, None] * odds - shown[:, None] * np.logaddexp(0, odds) + log_weights
        most = each.max(axis=1)
        # The last term keeps the spread of few films off zero, where their likelihood alone often puts it.
        return -float((most + np.log(np.exp(each - most[:, None]).sum(axis=1))).sum() + log_spread)

    rate = clicks.sum() / shown.sum()
    start = np.array([np.log(rate / (1 - rate)), 0.5, -1.0])
    found = minimize(unlikely, start, method="L-BFGS-B", bounds=((-15, 15), (0, 10), (-6, 1.5)))
    shift, slope, log_spread = (float(value) for value in found.x)
    return Calibration(shift - slope * middle, slope, float(np.exp(log_spread)))
