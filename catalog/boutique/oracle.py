"""What the generator itself would rank: how often a shopper may be expected to take each item.

No model can know this much; a table that shows something above it has a leak.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from catalog.boutique.plan import Plan
from catalog.boutique.sessions import BROWSED, HOME_SHARE, OPENED, SLATE, WISH_SHARE, keenness, put_forward
from catalog.vectors import Floats

Matrix = npt.NDArray[np.float64]

STEPS = 60
"""Halvings when a drawing without replacement is solved for its rate."""


def expected_takes(plan: Plan, days: int) -> Floats:
    """Return the takes (cart or purchase) a session may be expected to bring, (n_users, n_items) float32.

    The chances of `sessions.Shopping` in closed form: exposure is its mean over `days`, and both drawings
    without replacement (items seen, pages opened) are taken as independent draws of the right expected size,
    `P(i) = 1 - exp(-t w_i)` with t such that they sum to the size of the drawing.
    """
    truth = plan.truth
    liking = np.stack([truth.relevance(user) for user in truth.users]).astype(np.float64)
    exposure = _mean_exposure(plan, days)
    kinds = np.array([piece.category.name for piece in plan.pieces])
    opened = (1 - WISH_SHARE) * _opened(liking, exposure)
    wish = np.exp(0.8 * liking)
    wish /= wish.sum(axis=1, keepdims=True)
    for kind in np.unique(kinds):
        inside = np.flatnonzero(kinds == kind)
        wanted = wish[:, inside].sum(axis=1, keepdims=True)
        opened[:, inside] += WISH_SHARE * wanted * _opened(liking[:, inside], exposure[inside])
    shown = _drawn(0.85 * exposure / exposure.sum() + 0.15 / len(exposure), SLATE)
    clicked = np.mean([truth.click.probability(liking.astype(np.float32), k) for k in range(1, SLATE + 1)], axis=0)
    visited = HOME_SHARE * shown * clicked + (1 - HOME_SHARE) * opened
    for_sale = np.array([piece.available for piece in plan.pieces])
    takes: Floats = (visited * keenness(liking) * for_sale).astype(np.float32)
    return takes


def _mean_exposure(plan: Plan, days: int) -> Matrix:
    push = np.exp(plan.truth.appeal.astype(np.float64))
    launched = np.array([piece.launched for piece in plan.pieces])
    return np.asarray(np.mean([put_forward(push, launched, day) for day in range(days)], axis=0))


def _opened(liking: Matrix, exposure: Matrix) -> Matrix:
    """Return the chance that each page is opened in one browse among these items, (n_users, n)."""
    seen = _drawn(exposure, BROWSED)
    pull = np.exp(2.8 * liking)
    low, high = np.zeros(len(liking)), 1e6 / pull.max(axis=1)
    wanted = np.minimum(OPENED, seen.sum())
    for _ in range(STEPS):
        rate = (low + high) / 2
        over = (seen * -np.expm1(-rate[:, None] * pull)).sum(axis=1) > wanted
        low, high = np.where(over, low, rate), np.where(over, rate, high)
    return np.asarray(seen * -np.expm1(-high[:, None] * pull))


def _drawn(weight: Matrix, size: int) -> Matrix:
    """Return the chance of each item to be among `size` drawn one after another by weight, (n,)."""
    if size >= len(weight):
        return (weight > 0).astype(np.float64)
    share = weight / weight.sum()
    low, high = 0.0, 1e9
    for _ in range(STEPS * 2):
        rate = (low + high) / 2
        low, high = (low, rate) if -np.expm1(-rate * share).sum() > size else (rate, high)
    return np.asarray(-np.expm1(-high * share))
