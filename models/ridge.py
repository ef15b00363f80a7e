"""The closed form behind the linear models: a ridge regression of every item on all others."""

from __future__ import annotations

import numpy as np

from catalog.errors import DataError
from catalog.vectors import Floats


def inverse(gram: Floats) -> Floats:
    """Return the inverse of a symmetric positive definite matrix (n, n), by Cholesky.

    The argument's memory is reused and its content lost: the peak is one matrix beside it.

    Raises:
        DataError: When the matrix is not positive definite.
    """
    from scipy.linalg import lapack

    factor, info = lapack.spotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if info == 0:
        factor, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise DataError(
            f"the item matrix of {len(gram):,} items is not positive definite; a larger regularisation would be valid"
        )
    _mirror(factor)
    precision: Floats = np.ascontiguousarray(factor.T)
    return precision


def zero_diagonal_weights(precision: Floats) -> Floats:
    """Turn `P`, (n, n), into the weights `B = I - P diag(1 / diag P)` in place; column j predicts item j.

    Source:
        Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8.
    """
    precision /= -np.diag(precision).copy()
    np.fill_diagonal(precision, 0.0)
    return precision


def _mirror(lower: Floats, block: int = 1024) -> None:
    """Copy the lower triangle onto the upper one, in place and in blocks."""
    for start in range(0, len(lower), block):
        stop = min(start + block, len(lower))
        square = lower[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
        lower[start:stop, stop:] = lower[stop:, start:stop].T
