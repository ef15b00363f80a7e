"""From a score to a probability: Platt's curve or an isotonic staircase, fitted on rows the score had not seen."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Values = npt.NDArray[np.float64]

ENOUGH_FOR_STEPS = 5000
"""Clicks from which `auto` takes the staircase; with fewer its steps follow chance, and rows of one step are tied."""

_STRAIGHT = (-50.0, 50.0)
"""Log odds that are told apart; beyond them a probability is 0 or 1 to float64."""


class Calibration(BaseModel):
    """A growing map from log odds to a probability.

    Source:
        Platt, "Probabilistic Outputs for Support Vector Machines", 1999; Zadrozny and Elkan, KDD 2002 (isotonic);
        Niculescu-Mizil and Caruana, ICML 2005, on how many rows each needs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["none", "platt", "isotonic"] = "none"
    """Which map it is; `none` is the logistic function itself."""
    shift: float = 0.0
    """Added to the log odds (`platt`)."""
    slope: float = 1.0
    """The log odds are multiplied with it (`platt`)."""
    odds: tuple[float, ...] = ()
    """Log odds of the staircase's corners, ascending (`isotonic`)."""
    chances: tuple[float, ...] = ()
    """Probability at each corner; straight lines between, level beyond (`isotonic`)."""

    def probability(self, odds: Values) -> Values:
        """Return probabilities, shaped as `odds`."""
        if self.kind == "isotonic":
            return np.asarray(np.interp(odds, self.odds, self.chances), np.float64)
        return np.asarray(1 / (1 + np.exp(-np.clip(self.shift + self.slope * odds, *_STRAIGHT))), np.float64)


def calibrated(
    odds: Values, clicked: npt.NDArray[np.bool_], kind: Literal["auto", "platt", "isotonic"] = "auto"
) -> Calibration:
    """Return the map most likely to give these labels.

    Args:
        odds: (n,) log odds of rows that the score had not learned from.
        clicked: (n,) labels.
        kind: `auto`: a staircase from `ENOUGH_FOR_STEPS` clicks on, else Platt's curve.

    Returns:
        The identity where there is only one label, which says nothing.
    """
    clicks = int(clicked.sum())
    if clicks in (0, len(clicked)):
        return Calibration()
    if kind == "isotonic" or (kind == "auto" and min(clicks, len(clicked) - clicks) >= ENOUGH_FOR_STEPS):
        return _isotonic(odds, clicked)
    return _platt(odds, clicked)


def _platt(odds: Values, clicked: npt.NDArray[np.bool_]) -> Calibration:
    from scipy.optimize import minimize

    clicks = clicked.sum()
    # Platt's targets: one more row of each label, so that few rows never give 0 or 1.
    target = np.where(clicked, (clicks + 1) / (clicks + 2), 1 / (len(clicked) - clicks + 2))

    def unlikely(parameters: Values) -> tuple[float, Values]:
        told = parameters[0] + parameters[1] * odds
        miss = 1 / (1 + np.exp(-np.clip(told, *_STRAIGHT))) - target
        loss = float((np.logaddexp(0, told) - target * told).sum())
        return loss, np.array([miss.sum(), (miss * odds).sum()])

    found = minimize(unlikely, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=((-20, 20), (0, 20)))
    return Calibration(kind="platt", shift=float(found.x[0]), slope=float(found.x[1]))


def _isotonic(odds: Values, clicked: npt.NDArray[np.bool_]) -> Calibration:
    from scipy.optimize import isotonic_regression

    levels, place, counts = np.unique(odds, return_inverse=True, return_counts=True)
    rate = np.bincount(place, clicked) / counts
    steps = isotonic_regression(rate, weights=counts.astype(np.float64)).x
    # Only the two ends of each step: the rest lies on the line between them.
    keep = np.ones(len(steps), np.bool_)
    keep[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
    # No finite number of rows proves that something never, or always, happens.
    low, high = 1 / (len(odds) + 2), 1 - 1 / (len(odds) + 2)
    return Calibration(
        kind="isotonic", odds=tuple(levels[keep].tolist()), chances=tuple(np.clip(steps[keep], low, high).tolist())
    )
