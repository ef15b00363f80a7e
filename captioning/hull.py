"""How convex a region is."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from captioning.ground import Mask


def solidity(region: Mask) -> float:
    """Return the share of its convex hull that a region (h, w) fills, 0..1; 1 when it is a line or empty."""
    # The first and last pixel of every row span the hull; pixels are squares, so it goes through their corners.
    rows = np.flatnonzero(region.any(axis=1))
    if not len(rows):
        return 1.0
    first = region[rows].argmax(axis=1)
    last = region.shape[1] - region[rows][:, ::-1].argmax(axis=1)
    y = np.concatenate([rows, rows + 1, rows, rows + 1])
    x = np.concatenate([first, first, last, last])
    try:
        return float(region.sum() / ConvexHull(np.stack([y, x], axis=1)).volume)
    except QhullError:
        return 1.0
