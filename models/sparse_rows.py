"""How the models make a CSR matrix; scipy's own constructor has a dozen overloads to get wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse


def csr_from_edges(rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]) -> sparse.csr_array:
    """Return the float32 matrix with 1 at each (row, column); repeats add up."""
    return csr_of((np.ones(len(rows), np.float32), (rows, columns)), shape)


def csr_of(parts: Any, shape: tuple[int, int]) -> sparse.csr_array:
    """Return the float32 matrix of dense rows, another sparse matrix, `(data, (row, column))` or CSR's three arrays."""
    matrix: sparse.csr_array = sparse.csr_array(parts, shape=shape, dtype=np.float32)
    return matrix


def csr_parts(name: str, matrix: sparse.csr_array) -> dict[str, npt.NDArray[Any]]:
    """Return the three arrays of `matrix` as `name.data`, `name.indices`, `name.indptr`."""
    return {f"{name}.data": matrix.data, f"{name}.indices": matrix.indices, f"{name}.indptr": matrix.indptr}


def spans(indptr: npt.NDArray[Any], rows: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where the entries of `rows` stand in a CSR matrix, row after row, and how many each row has."""
    starts = indptr[rows].astype(np.int64)
    size = indptr[rows + 1] - starts
    ends = np.cumsum(size)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - ends + size, size) + np.arange(total), size


def widened(matrix: sparse.csr_array, shape: tuple[int, int]) -> sparse.csr_array:
    """Return `matrix` with empty rows and columns appended up to `shape`."""
    indptr = np.pad(matrix.indptr, (0, shape[0] - matrix.shape[0]), mode="edge")
    return csr_of((matrix.data, matrix.indices, indptr), shape)
