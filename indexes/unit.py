"""Rows of length 1."""

from __future__ import annotations

import numpy as np

from catalog.vectors import Floats

SLICE = 262_144
"""Rows handled at a time, so that a table that is mapped from disk never stands in memory twice."""

_LEAST = np.float32(1e-15)
"""Squares of shorter rows lose their digits in a float32."""


def unit_rows(vectors: Floats) -> Floats:
    """Return rows (n, d) of length 1; a row of zeros stays, and a table of unit rows is given back as it is.

    Already unit rows stay bit for bit, so that a saved and loaded index answers the same. Rows whose squares are
    beyond a float32, 1e20 or 1e-30 say, become of length 1 as others do.
    """
    out: Floats | None = None
    for start in range(0, len(vectors), SLICE):
        part = vectors[start : start + SLICE]
        with np.errstate(over="ignore"):
            lengths = np.sqrt(np.add.reduce(part * part, axis=1, keepdims=True))
        far = np.empty(0, np.int64)
        if not (lengths.min() >= _LEAST and lengths.max() < np.inf):
            far = np.flatnonzero((lengths < _LEAST) | ~np.isfinite(lengths))
            far = far[part[far].any(axis=1)]
        if len(far):
            part = np.array(part, np.float32)
            part[far] /= np.abs(part[far]).max(axis=1, keepdims=True)
            lengths[far] = np.linalg.norm(part[far], axis=1, keepdims=True)
        lengths[(np.abs(lengths - 1) < 1e-6) | (lengths == 0)] = 1
        if out is None and (len(far) or (lengths != 1).any()):
            out = np.array(vectors, np.float32, order="C")
        if out is not None:
            out[start : start + SLICE] = part / lengths
    return np.ascontiguousarray(vectors, np.float32) if out is None else out
