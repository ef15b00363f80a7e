"""How well pictures find their texts, and texts their pictures: recall at k, and what chance would give."""

from __future__ import annotations

from math import comb

import numpy as np

from catalog.errors import DataError
from catalog.vectors import Floats, Mask
from embedding.clip_training.rows import Ints

KS = (1, 5, 10)
_TIE = 1e-6
"""Cosines in float32 that differ by less are the same."""
BOTH = ("picture->text", "text->picture")


def recalls(pictures: Floats, texts: Floats, alike: Ints) -> dict[str, float]:
    """Return recall@1, 5 and 10 both ways, e.g. `{"picture->text@1": 0.25, ...}`.

    A hit is any item whose text is the same one. What scores exactly like the hit counts half before it, so that
    an encoder that cannot tell items apart gains nothing by it, and loses nothing.

    Args:
        pictures: (n, d) unit vectors of the items' pictures.
        texts: (n, d) unit vectors of their texts.
        alike: (n,) the same number for items of one text.

    Raises:
        DataError: When a vector holds what is no number.
    """
    scores = pictures @ texts.T
    same = alike[:, None] == alike[None, :]
    found: dict[str, float] = {}
    for name, rows in zip(BOTH, (scores, scores.T), strict=True):
        before = _before(rows, same)
        found |= {f"{name}@{k}": float((before < k).mean()) for k in KS}
    return found


def chance(alike: Ints) -> dict[str, float]:
    """Return what an order drawn at random would give, exactly."""
    n = len(alike)
    _, at, counts = np.unique(alike, return_inverse=True, return_counts=True)
    by_k = {k: float(np.mean([1 - comb(n - int(h), k) / comb(n, k) for h in counts[at]])) for k in KS if k <= n}
    return {f"{name}@{k}": by_k.get(k, 1.0) for name in BOTH for k in KS}


def _before(scores: Floats, same: Mask) -> Floats:
    """Return how many stand before the first hit of each row, those that tie with it by half."""
    best = np.where(same, scores, -np.inf).max(1, keepdims=True)
    if not np.isfinite(scores).all():
        # Compared with anything they are neither more nor less: every one of them would count as a hit.
        raise DataError("vectors to measure recall on hold what is no number; finite ones would be valid")
    others = np.where(same, -np.inf, scores)
    close = np.abs(others - best) <= _TIE
    return np.asarray(((others > best) & ~close).sum(1) + close.sum(1) / 2, np.float32)
